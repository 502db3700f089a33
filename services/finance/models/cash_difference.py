"""The table of cash differences [R85-R88]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.models.hand_over import HandOver
from shared.ids import new_id


class CashDifference(Base):
    """What was missing (fen; negative: too much) when cash was counted, by the names of both [R85-R88, D5].

    A shortage is the giver's until he makes it good at finance.
    """

    __tablename__ = "cash_differences"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="something"),
        CheckConstraint("(made_good_at IS NULL) = (made_good_by IS NULL)", name="made_good"),
        CheckConstraint("giver_id <> receiver_id AND made_good_by <> giver_id", name="four_eyes"),
        CheckConstraint("made_good_at IS NULL OR amount_fen > 0", name="short"),
        Index("ix_cash_differences_site_id", "site_id", "id"),
        Index("ix_cash_differences_open", "site_id", postgresql_where=text("made_good_at IS NULL AND amount_fen > 0")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_overs.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    giver_id: Mapped[UUID]
    receiver_id: Mapped[UUID]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    day: Mapped[date]
    recorded_at: Mapped[datetime]
    made_good_by: Mapped[UUID | None]
    made_good_at: Mapped[datetime | None]

    hand_over: Mapped["HandOver"] = relationship(lazy="raise")
