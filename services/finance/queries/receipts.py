"""Receipts, each with the shares of its fee and its invoices [R34, R35]."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, selectinload

from services.finance.models import CarriedFinding, Invoice, Receipt
from services.finance.queries.own import own_only
from services.finance.rules.receipt import ReceiptState
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class ShareView:
    """One worker's share of one fee."""

    person_id: UUID
    share_fen: int


@dataclass(frozen=True)
class InvoiceView:
    """An invoice beside a receipt, or the red one that cancelled it."""

    number: str
    state: str
    recorded_by: UUID
    recorded_at: datetime


@dataclass(frozen=True)
class ReceiptView:
    """A receipt; what concerns the job is empty until it is written, what concerns the money until it is used.

    `short_fen` of its cash is owed by an earlier holder; `refunded_fen` was given back to the owner.
    """

    id: UUID
    number: str
    book_id: UUID | None
    request_id: UUID | None
    site_id: UUID
    department: str | None
    state: str
    amount_fen: int | None
    issued_at: datetime | None
    carried_by: UUID | None
    void_reason: str | None
    method: str | None
    reference: str | None
    collected_by: UUID | None
    collected_at: datetime | None
    day: date | None
    month: str | None
    holder_id: UUID | None
    received_at: datetime | None
    company_fen: int | None
    workers_fen: int | None
    reserve_fen: int | None
    short_fen: int
    refunded_fen: int
    shares: list[ShareView]
    invoices: list[InvoiceView]


def _receipt_view(receipt: Receipt) -> ReceiptView:
    return ReceiptView(
        id=receipt.id,
        number=receipt.number,
        book_id=receipt.book_id,
        request_id=receipt.request_id,
        site_id=receipt.site_id,
        department=receipt.department,
        state=receipt.state,
        amount_fen=receipt.amount_fen,
        issued_at=receipt.issued_at,
        carried_by=receipt.carried_by,
        void_reason=receipt.void_reason,
        method=receipt.method,
        reference=receipt.reference,
        collected_by=receipt.collected_by,
        collected_at=receipt.collected_at,
        day=receipt.day,
        month=receipt.month,
        holder_id=receipt.holder_id,
        received_at=receipt.received_at,
        company_fen=receipt.company_fen,
        workers_fen=receipt.workers_fen,
        reserve_fen=receipt.reserve_fen,
        short_fen=receipt.short_fen,
        refunded_fen=receipt.refunded_fen,
        shares=[ShareView(share.person_id, share.share_fen) for share in receipt.shares],
        invoices=[_invoice_view(invoice) for invoice in receipt.invoices],
    )


def _invoice_view(invoice: Invoice) -> InvoiceView:
    return InvoiceView(invoice.number, invoice.state, invoice.recorded_by, invoice.recorded_at)


RECEIPT = (selectinload(Receipt.shares), selectinload(Receipt.invoices))


def receipts(
    session: Session,
    actor: Actor,
    *,
    state: str | None,
    month: str | None,
    holder_id: UUID | None,
    number: str | None = None,
    book_id: UUID | None = None,
    after: UUID | None,
    limit: int,
    newest: bool = False,
) -> Page[ReceiptView]:
    """Receipts in order of numbering, of one state, month, book or holder of the cash, or all; a worker's own only.

    `number` ends like the receipt's.
    """
    query = (
        select(Receipt)
        .where(
            at_sites_of(actor, Receipt.site_id),
            own_only("read_receipts", actor, Receipt.carried_by, Receipt.collected_by, Receipt.holder_id),
        )
        .options(*RECEIPT)
    )
    if state is not None:
        query = query.where(Receipt.state == state)
    if month is not None:
        query = query.where(Receipt.month == month)
    if holder_id is not None:
        query = query.where(Receipt.holder_id == holder_id)
    if number is not None:
        query = query.where(Receipt.number.endswith(number, autoescape=True))
    if book_id is not None:
        query = query.where(Receipt.book_id == book_id)
    return page_of(session, query, Receipt.id, _receipt_view, after=after, limit=limit, newest=newest)


def receipt_by_id(session: Session, actor: Actor, receipt_id: UUID) -> ReceiptView:
    """One receipt. Raises NotFound when it is none of the person's sites, or of a worker's own."""
    query = (
        select(Receipt)
        .where(
            Receipt.id == receipt_id,
            at_sites_of(actor, Receipt.site_id),
            own_only("read_receipts", actor, Receipt.carried_by, Receipt.collected_by, Receipt.holder_id),
        )
        .options(*RECEIPT)
    )
    receipt = session.scalars(query).one_or_none()
    if receipt is None:
        raise NotFound("receipt", receipt_id)
    return _receipt_view(receipt)


def next_number(session: Session, site_id: UUID) -> str | None:
    """The number the next fee of a site is taken against: the lowest on hand [R34]; none where the desk has none."""
    on_hand = Receipt.site_id == site_id, Receipt.state == ReceiptState.ON_HAND
    return session.scalars(select(Receipt.number).where(*on_hand).order_by(Receipt.number).limit(1)).one_or_none()


@dataclass(frozen=True)
class UnexplainedView:
    """A receipt that was out at closing time of a day and is not accounted for yet."""

    site_id: UUID
    day: date
    receipt_id: UUID
    number: str
    carried_by: UUID


def unexplained(session: Session, actor: Actor) -> list[UnexplainedView]:
    """Receipts that were out at closing time, still to be accounted for [R35, D6]."""
    query = (
        select(CarriedFinding)
        .where(CarriedFinding.settled_at.is_(None), at_sites_of(actor, CarriedFinding.site_id))
        .order_by(CarriedFinding.day, CarriedFinding.number)
    )
    return [UnexplainedView(f.site_id, f.day, f.receipt_id, f.number, f.carried_by) for f in session.scalars(query)]


def receipts_by_id(session: Session, actor: Actor, receipt_ids: Sequence[UUID]) -> list[ReceiptView]:
    """These receipts in order of numbering, those at the person's sites."""
    query = select(Receipt).where(Receipt.id.in_(receipt_ids), at_sites_of(actor, Receipt.site_id)).options(*RECEIPT)
    return [_receipt_view(receipt) for receipt in session.scalars(query.order_by(Receipt.number))]


def receipt_as_left(session: Session, receipt: Receipt) -> ReceiptView:
    """A receipt as the action under way leaves it; what that action holds of it whole is not read again."""
    session.flush()
    if not inspect(receipt).unloaded:
        return _receipt_view(receipt)
    return _receipt_view(
        session.scalars(
            select(Receipt).where(Receipt.id == receipt.id).options(*RECEIPT).execution_options(populate_existing=True)
        ).one()
    )


def receipts_by_ids(session: Session, actor: Actor, receipt_ids: Collection[UUID]) -> list[ReceiptView]:
    """These receipts, in order of their numbers; those at none of the person's sites are left out."""
    query = (
        select(Receipt)
        .where(Receipt.id.in_(receipt_ids), at_sites_of(actor, Receipt.site_id))
        .order_by(Receipt.number)
        .options(*RECEIPT)
    )
    return [_receipt_view(receipt) for receipt in session.scalars(query)]
