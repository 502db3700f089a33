"""The table of fines [R93]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base


class Fine(Base):
    """A fine confirmed by the leader, as hr says; deducted once [R93, D21].

    `settlement_id` is the settlement that computed it; it is `settled_at` that one's approval.
    """

    __tablename__ = "fines"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_fines_site_id", "site_id", "case_id"),
        Index("ix_fines_open", "site_id", "month", postgresql_where=text("settlement_id IS NULL")),
        Index("ix_fines_settlement_id", "settlement_id"),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    offence: Mapped[str]
    month: Mapped[str]
    amount_fen: Mapped[int]
    confirmed_at: Mapped[datetime]
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlements.id"))
    settled_at: Mapped[datetime | None]
