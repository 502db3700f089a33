"""Receipts 票据: course, division, void, brought back, explained, invoices, refunds [R34, R35, R70-R72, D13]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.receipts import (
    RecordInvoice,
    bring_back_receipt,
    explain_receipt,
    record_invoice,
    void_receipt,
)
from services.finance.api.refunds import ProposeRefund, propose_refund
from services.finance.pages.parts import (
    BY_MONTH,
    SITE,
    Filter,
    asked_one,
    at_site,
    by_state,
    month_in,
    newest,
    percents,
    state,
)
from services.finance.pages.see import see
from services.finance.queries.receipts import ReceiptView, receipt_by_id, receipts, unexplained
from services.finance.queries.refunds import refunds
from services.finance.rules.receipt import RECEIPT, ReceiptState, ReceiptStep
from shared.ui.forms import Form, yuan_of
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

COLUMNS = [
    Column("number", "票据", link=lambda row: f"/finance/receipts/{row.id}"),
    SITE,
    state(),
    Column("amount_fen", "金额", "money"),
    Column("method", "付款方式", "word"),
    Column("collected_by", "收款人", "person"),
    Column("collected_at", "收款时间", "moment"),
    Column("holder_id", "现金在", "person"),
]


@pages.get("/receipts")
def list_receipts(view: Annotated[View, see("read_receipts")]) -> Response:
    asked = asked_one(view, "state", ReceiptState)
    found = receipts(
        view.session,
        view.reader,
        state=asked,
        month=month_in(view),
        holder_id=view.asked_id("holder"),
        number=view.asked("number"),
        **newest(view),
    )
    return view.show(
        "listing.html",
        title="票据",
        hint="每一个号码都有去处：在库、外带、已用、作废或交回。",
        table=Table(COLUMNS, found.items, found.next, "没有符合条件的票据。", "receipts"),
        filters=[*at_site(view), by_state(ReceiptState), BY_MONTH, Filter("number", "票据号（可只填末几位）")],
        links=[("票据簿", "/finance/receipt-books")] if view.may("read_receipt_books") else [],
    )


def _refund_form(receipt: ReceiptView) -> Form[ProposeRefund]:
    left = (receipt.amount_fen or 0) - receipt.refunded_fen
    fixed = {"receipt_id": str(receipt.id)}
    return Form(ProposeRefund, fixed=fixed, shown={"amount_fen": yuan_of(left)}, id="refund")


def _receipt(view: View, receipt_id: UUID, **forms: Form[Any]) -> Response:
    receipt = receipt_by_id(view.session, view.actor, receipt_id)
    now = ReceiptState(receipt.state)
    used = now is ReceiptState.USED
    open_days = [one for one in unexplained(view.session, view.actor) if one.receipt_id == receipt.id]
    back = (
        refunds(view.session, view.actor, month=None, receipt_id=receipt.id, after=None, limit=1000).items
        if view.may("read_refunds")
        else []
    )
    refundable = used and receipt.received_at is not None and receipt.refunded_fen < (receipt.amount_fen or 0)
    offered: dict[str, tuple[bool, Form[Any]]] = {
        "void": (view.may("void_receipt") and RECEIPT.allows(now, ReceiptStep.VOID), Form(Reason, id="void")),
        "explain": (view.may("explain_receipt") and bool(open_days), Form(Reason, id="explain")),
        "invoice": (view.may("record_invoice") and used, Form(RecordInvoice, id="invoice")),
        "refund": (view.may("propose_refund") and refundable, _refund_form(receipt)),
    }
    return view.show(
        "receipt.html",
        receipt=receipt,
        weights=percents(view, receipt.site_id, receipt.collected_at or view.now),
        refunds=back,
        open_days=open_days,
        brings_back=view.may("bring_back_receipt") and RECEIPT.allows(now, ReceiptStep.BRING_BACK),
        forms={name: forms.get(name, form) for name, (may, form) in offered.items() if may or name in forms},
        failed=forms.get("failed"),
    )


@pages.get("/receipts/{receipt_id}")
def read_receipt(receipt_id: UUID, view: Annotated[View, see("read_receipts")]) -> Response:
    return _receipt(view, receipt_id)


@pages.post("/receipts/{receipt_id}/void")
def void(receipt_id: UUID, view: Annotated[View, see("void_receipt")]) -> Response:
    return view.submit(
        Form(Reason, id="void"),
        lambda body: void_receipt(receipt_id, body, view),
        then=f"/finance/receipts/{receipt_id}",
        again=lambda form: _receipt(view, receipt_id, void=form),
        said="票据已作废，号码保留",
    )


@pages.post("/receipts/{receipt_id}/bring-back")
def bring_back(receipt_id: UUID, view: Annotated[View, see("bring_back_receipt")]) -> Response:
    return view.press(
        lambda: bring_back_receipt(receipt_id, view),
        then=f"/finance/receipts/{receipt_id}",
        again=lambda form: _receipt(view, receipt_id, failed=form),
        said="票据已带回，重新在库",
    )


@pages.post("/receipts/{receipt_id}/explain")
def explain(receipt_id: UUID, view: Annotated[View, see("explain_receipt")]) -> Response:
    return view.submit(
        Form(Reason, id="explain"),
        lambda body: explain_receipt(receipt_id, body, view),
        then=f"/finance/receipts/{receipt_id}",
        again=lambda form: _receipt(view, receipt_id, explain=form),
        said="已说明，当天可以结清",
    )


@pages.post("/receipts/{receipt_id}/invoice")
def invoice(receipt_id: UUID, view: Annotated[View, see("record_invoice")]) -> Response:
    return view.submit(
        Form(RecordInvoice, id="invoice"),
        lambda body: record_invoice(receipt_id, body, view),
        then=f"/finance/receipts/{receipt_id}",
        again=lambda form: _receipt(view, receipt_id, invoice=form),
        said="发票已登记",
    )


@pages.post("/receipts/{receipt_id}/refund")
def refund(receipt_id: UUID, view: Annotated[View, see("propose_refund")]) -> Response:
    return view.submit(
        _refund_form(receipt_by_id(view.session, view.actor, receipt_id)),
        lambda body: propose_refund(body, view),
        then=f"/finance/receipts/{receipt_id}",
        again=lambda form: _receipt(view, receipt_id, refund=form),
        said="退款已提出，等分管领导审批",
    )
