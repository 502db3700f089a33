"""The tables of receipts, their shares and invoices [R34, R35]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.receipt import InvoiceState, Method, ReceiptState
from shared.ids import new_id
from shared.messages import FieldDepartment


class Receipt(Base):
    """A numbered receipt 票据 [R34, R35] and, once used, how its fee was divided [R70-R72] and who holds the cash.

    A number on hand is blank: it names no job. A charge has at most one receipt that is not void. Money is with
    finance from `received_at` on: at once when it is not cash; until then cash is in the hands of `holder_id`
    [R86], less `short_fen`, which a holder before him owes as a cash difference (negative: more was found).
    `split_weights` are the parts of a hundred of workers, reserve and company, as the policy was that day [D14].
    """

    __tablename__ = "receipts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint(
            "num_nulls(request_id, department, amount_fen, issued_by, issued_at)"
            " = CASE WHEN state IN ('on_hand', 'returned') THEN 5"
            " WHEN state = 'voided' AND request_id IS NULL THEN 5 ELSE 0 END",
            name="written",
        ),
        CheckConstraint("refunded_fen BETWEEN 0 AND coalesce(amount_fen, 0)", name="refunded"),
        CheckConstraint(
            "(state = 'used') = (method IS NOT NULL AND collected_by IS NOT NULL AND collected_at IS NOT NULL"
            " AND day IS NOT NULL AND month IS NOT NULL)",
            name="used",
        ),
        CheckConstraint(
            "CASE WHEN state = 'used' THEN coalesce(ARRAY[workers_fen, reserve_fen, company_fen]"
            " = largest_remainder(amount_fen, split_weights), false)"
            " ELSE coalesce(company_fen, workers_fen, reserve_fen) IS NULL AND split_weights IS NULL END",
            name="split",
        ),
        CheckConstraint(
            "CASE WHEN state = 'used' THEN (holder_id IS NULL) = (received_at IS NOT NULL)"
            " ELSE coalesce(holder_id::text, received_at::text) IS NULL END",
            name="one_holder",
        ),
        CheckConstraint("method = 'cash' OR reference IS NOT NULL AND holder_id IS NULL", name="cash_is_held"),
        Index("uq_receipts_request_id", "request_id", unique=True, postgresql_where=text("state <> 'voided'")),
        Index("ix_receipts_held", "site_id", "holder_id", postgresql_where=text("holder_id IS NOT NULL")),
        Index("ix_receipts_site_id", "site_id", "id"),
        Index("ix_receipts_month", "site_id", "month"),
        Index("ix_receipts_on_hand", "site_id", "number", postgresql_where=text("state = 'on_hand'")),
        Index("ix_receipts_carried", "site_id", postgresql_where=text("state = 'carried'")),
        Index("ix_receipts_book_id", "book_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    book_id: Mapped[UUID | None] = mapped_column(ForeignKey("receipt_books.id"))
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("charges.request_id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment | None]
    state: Mapped[ReceiptState]
    amount_fen: Mapped[int | None]
    issued_by: Mapped[UUID | None]
    issued_at: Mapped[datetime | None]
    carried_by: Mapped[UUID | None]
    voided_by: Mapped[UUID | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]

    method: Mapped[Method | None]
    reference: Mapped[str | None]
    collected_by: Mapped[UUID | None]
    collected_at: Mapped[datetime | None]
    day: Mapped[date | None]
    month: Mapped[str | None]
    holder_id: Mapped[UUID | None]
    received_at: Mapped[datetime | None]
    company_fen: Mapped[int | None]
    workers_fen: Mapped[int | None]
    reserve_fen: Mapped[int | None]
    split_weights: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    short_fen: Mapped[int] = mapped_column(server_default=text("0"))
    refunded_fen: Mapped[int] = mapped_column(server_default=text("0"))

    shares: Mapped[list["ReceiptShare"]] = relationship(lazy="raise", order_by="ReceiptShare.person_id")
    invoices: Mapped[list["Invoice"]] = relationship(lazy="raise", order_by="Invoice.id")


class ReceiptShare(Base):
    """One worker's share of one fee [R71, D15]."""

    __tablename__ = "receipt_shares"
    __table_args__ = (CheckConstraint("share_fen >= 0", name="share"),)

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    share_fen: Mapped[int]


class Invoice(Base):
    """An invoice 发票 written beside a receipt, or the red one that cancels it [R34]; append-only."""

    __tablename__ = "invoices"
    __table_args__ = (Index("ix_invoices_receipt_id", "receipt_id", "id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"))
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[InvoiceState]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
