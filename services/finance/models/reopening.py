"""The table of proposals to reopen a month [D18]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base
from services.finance.rules.reopening import ReopeningState
from shared.ids import new_id


class Reopening(Base):
    """A proposal to reopen a month, and the leader's decision [D18]; one at a time."""

    __tablename__ = "reopenings"
    __table_args__ = (
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        Index("uq_reopenings_open", "settlement_id", unique=True, postgresql_where=text("state = 'proposed'")),
        Index("ix_reopenings_settlement_id", "settlement_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlements.id"))
    state: Mapped[ReopeningState]
    reason: Mapped[str]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
