"""The tables of cash still out the next morning [R86, D6, D7]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from shared.ids import new_id


class MissingCash(Base):
    """Cash still out the next morning, told to hr as a case [R86, D6, D7]; returned once finance has all of it.

    It is cash of receipts in his hands, or what he owes of one `difference_id`.
    """

    __tablename__ = "missing_cash"
    __table_args__ = (
        Index(
            "uq_missing_cash_site_id",
            "site_id",
            "day",
            "holder_id",
            "difference_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_missing_cash_sites", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    day: Mapped[date]
    holder_id: Mapped[UUID]
    holder_name: Mapped[str]
    difference_id: Mapped[UUID | None] = mapped_column(ForeignKey("cash_differences.id"), unique=True)
    amount_fen: Mapped[int]
    receipt_numbers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    found_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]

    receipts: Mapped[list["MissingCashReceipt"]] = relationship(lazy="raise", order_by="MissingCashReceipt.receipt_id")


class MissingCashReceipt(Base):
    """A receipt named as missing; once, because cash that reached finance never leaves it again."""

    __tablename__ = "missing_cash_receipts"
    __table_args__ = (Index("ix_missing_cash_receipts_missing_id", "missing_id"),)

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    missing_id: Mapped[UUID] = mapped_column(ForeignKey("missing_cash.id"))
