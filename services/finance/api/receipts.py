"""Receipts: carried, used for a fee, voided, explained, with their invoices [R33-R35]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.finance.actions import receipt
from services.finance.api.may import may
from services.finance.queries.receipts import ReceiptView, receipt_as_left, receipts
from services.finance.rules.receipt import InvoiceState, Method, ReceiptState
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, MonthName, Reason, Short

routes = APIRouter(tags=["receipts"])


class CarryReceipt(Body):
    """The worker who takes the receipt to the owner [R35]."""

    worker_id: UUID


class CollectFee(Body):
    """The money taken: exactly the agreed fee, against a carried receipt or a new one [R33, R34]."""

    method: Method
    amount_fen: PositiveFen
    reference: Short | None = Field(default=None, description="of the payment; needed unless it is cash [D12]")
    receipt_id: UUID | None = Field(default=None, description="the carried receipt; omit for a new one [R35]")


class RecordInvoice(Body):
    """An invoice beside the receipt, or the red one that cancels it [R34]."""

    number: Short
    state: InvoiceState


@routes.post("/charges/{request_id}/carry", status_code=201, summary="Give a worker the receipt to take along [R35]")
def carry_receipt(request_id: UUID, body: CarryReceipt, edge: Annotated[Edge, may("carry_receipt")]) -> ReceiptView:
    def act() -> ReceiptView:
        carried = receipt.carry(
            edge.session, request_id=request_id, worker_id=body.worker_id, actor=edge.actor, now=edge.now
        )
        return receipt_as_left(edge.session, carried)

    return edge.once(body, act)


@routes.post("/charges/{request_id}/collect", status_code=201, summary="Take the agreed fee [R33, R34, R70-R72]")
def collect_fee(request_id: UUID, body: CollectFee, edge: Annotated[Edge, may("collect_fee")]) -> ReceiptView:
    def act() -> ReceiptView:
        used = receipt.collect(
            edge.session,
            request_id=request_id,
            method=body.method,
            amount_fen=body.amount_fen,
            reference=body.reference,
            receipt_id=body.receipt_id,
            actor=edge.actor,
            now=edge.now,
        )
        return receipt_as_left(edge.session, used)

    return edge.once(body, act)


@routes.get("/receipts", summary="Receipts in order of numbering; a worker's own [R34]")
def list_receipts(
    edge: Annotated[Edge, may("read_receipts")],
    *,
    state: ReceiptState | None = None,
    month: MonthName | None = None,
    holder_id: UUID | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ReceiptView]:
    return receipts(edge.session, edge.actor, state=state, month=month, holder_id=holder_id, after=after, limit=limit)


@routes.post("/receipts/{receipt_id}/void", summary="A receipt is spoilt: its number stays, void [R35]")
def void_receipt(receipt_id: UUID, body: Reason, edge: Annotated[Edge, may("void_receipt")]) -> ReceiptView:
    voided = receipt.void(edge.session, receipt_id=receipt_id, reason=body.reason, actor=edge.actor, now=edge.now)
    return receipt_as_left(edge.session, voided)


@routes.post(
    "/receipts/{receipt_id}/bring-back", summary="A carried receipt came back unused: it is on hand again [R35]"
)
def bring_back_receipt(receipt_id: UUID, edge: Annotated[Edge, may("bring_back_receipt")]) -> ReceiptView:
    def act() -> ReceiptView:
        brought = receipt.bring_back(edge.session, receipt_id=receipt_id, actor=edge.actor, now=edge.now)
        return receipt_as_left(edge.session, brought)

    return edge.once(None, act)


@routes.post("/receipts/{receipt_id}/explain", summary="Why a receipt was still out at closing time [R35, D6]")
def explain_receipt(receipt_id: UUID, body: Reason, edge: Annotated[Edge, may("explain_receipt")]) -> ReceiptView:
    def act() -> ReceiptView:
        explained = receipt.explain(
            edge.session, receipt_id=receipt_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return receipt_as_left(edge.session, explained)

    return edge.once(body, act)


@routes.post("/receipts/{receipt_id}/invoice", summary="An invoice was written beside a receipt, or cancelled [R34]")
def record_invoice(receipt_id: UUID, body: RecordInvoice, edge: Annotated[Edge, may("record_invoice")]) -> ReceiptView:
    def act() -> ReceiptView:
        beside = receipt.record_invoice(
            edge.session,
            receipt_id=receipt_id,
            number=body.number,
            state=body.state,
            actor=edge.actor,
            now=edge.now,
        )
        return receipt_as_left(edge.session, beside)

    return edge.once(body, act)
