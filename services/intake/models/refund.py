"""The table of fees given back [D13, D16]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from shared.messages import FieldDepartment


class FeeRefund(Base):
    """Money of a fee that finance gave back, in the month it lessens [D13, D16]; append-only."""

    __tablename__ = "fee_refunds"
    __table_args__ = (
        Index("ix_fee_refunds_request_id", "request_id"),
        Index("ix_fee_refunds_month", "site_id", "month"),
        {"comment": "append-only"},
    )

    refund_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    receipt_number: Mapped[str]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    month: Mapped[str]
    refunded_at: Mapped[datetime]
