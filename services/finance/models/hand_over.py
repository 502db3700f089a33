"""The tables of hand-overs [R36, R85]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.hand_over import HandOverState
from shared.ids import new_id


class HandOver(Base):
    """Cash offered by one person to the next and counted by him [R36, R85, D5].

    With `on_behalf_reason` its giver could not offer it any more, and finance took it from him.
    """

    __tablename__ = "hand_overs"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("from_id <> to_id", name="two_people"),
        CheckConstraint("(counted_fen IS NULL) = (counted_at IS NULL)", name="count"),
        CheckConstraint("state NOT IN ('differs', 'stated', 'counted') OR counted_at IS NOT NULL", name="counted"),
        CheckConstraint("state <> 'stated' OR difference_reason IS NOT NULL", name="stated"),
        Index("ix_hand_overs_site_id", "site_id", "id"),
        Index("ix_hand_overs_open", "site_id", "id", postgresql_where=text("state = 'offered'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    from_id: Mapped[UUID]
    to_id: Mapped[UUID]
    state: Mapped[HandOverState]
    amount_fen: Mapped[int]
    offered_at: Mapped[datetime]
    on_behalf_reason: Mapped[str | None]
    counted_fen: Mapped[int | None]
    counted_notes: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    counted_at: Mapped[datetime | None]
    difference_reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]

    receipts: Mapped[list["HandOverReceipt"]] = relationship(lazy="raise", order_by="HandOverReceipt.receipt_id")


class HandOverReceipt(Base):
    """A receipt whose cash is in a hand-over; in one open hand-over at most."""

    __tablename__ = "hand_over_receipts"
    __table_args__ = (Index("uq_hand_over_receipts_open", "receipt_id", unique=True, postgresql_where=text("open")),)

    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_overs.id"), primary_key=True)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    open: Mapped[bool]
