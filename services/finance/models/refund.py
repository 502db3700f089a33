"""The tables of refunds [D13, D16]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.models.receipt import Receipt
from services.finance.rules.refund import RefundMethod, RefundState
from shared.ids import new_id
from shared.messages import FieldDepartment


class Refund(Base):
    """A fee given back to its owner, all or part, out of finance's money [D13, D16].

    Once approved it lessens the income and the three shares of `month`, the one open then. `split_weights` are what
    workers, reserve and company were given of the fee, `before_fen` is what had been refunded of it before.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        CheckConstraint(
            "CASE WHEN state = 'approved'"
            " THEN month IS NOT NULL AND coalesce(ARRAY[workers_fen, reserve_fen, company_fen]"
            " = split_piece(before_fen, amount_fen, split_weights), false)"
            " ELSE num_nulls(month, company_fen, workers_fen, reserve_fen, before_fen, split_weights) = 6 END",
            name="split",
        ),
        Index("ix_refunds_site_id", "site_id", "id"),
        Index("ix_refunds_receipt_id", "receipt_id"),
        Index("ix_refunds_month", "site_id", "month"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"))
    request_id: Mapped[UUID]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    method: Mapped[RefundMethod]
    state: Mapped[RefundState]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    month: Mapped[str | None]
    before_fen: Mapped[int | None]
    split_weights: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    company_fen: Mapped[int | None]
    workers_fen: Mapped[int | None]
    reserve_fen: Mapped[int | None]

    receipt: Mapped["Receipt"] = relationship(lazy="raise")
    shares: Mapped[list["RefundShare"]] = relationship(lazy="raise", order_by="RefundShare.person_id")


class RefundShare(Base):
    """What one worker's share is lessened by, hence negative [D14, D16]; append-only."""

    __tablename__ = "refund_shares"
    __table_args__ = ({"comment": "append-only"},)

    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    share_fen: Mapped[int]
