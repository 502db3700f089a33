"""Fees at the desk 收费: what is due, taken against its numbered receipt, or a receipt sent along [R26, R33-R35]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.charges import ReceiveNotices, receive_notices
from services.finance.api.receipts import CarryReceipt, CollectFee, carry_receipt, collect_fee
from services.finance.pages.cash import my_cash_page
from services.finance.pages.parts import SITE, Filter, asked_one, at_site, by_state, newest, state
from services.finance.pages.see import see
from services.finance.queries.charges import ChargeView, charge_by_id, charges, notices_to_receive
from services.finance.queries.people import colleagues
from services.finance.queries.receipts import ReceiptView, next_number, receipt_by_id
from services.finance.rules.charge import CHARGE, PAYABLE, ChargeState, ChargeStep
from services.finance.rules.receipt import MethodPolicy, ReceiptState
from shared.policy_rows import in_force
from shared.ui.forms import Form, yuan_of
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("notice_number", "通知单", link=lambda row: f"/finance/charges/{row.request_id}"),
    SITE,
    Column("department", "部门", "word"),
    Column("fee_fen", "应收", "money"),
    state(),
    Column("accepted_at", "业主验收", "moment"),
    Column("received_at", "财务接收", "moment"),
]


NOTHING_DUE = "没有等着收款的。业主验收签字后，就会出现在这里。"
NOTHING_FOUND = "没有符合条件的收费。换一个状态或清除筛选再看。"


def _charges(view: View, failed: Form[ReceiveNotices] | None = None) -> Response:
    begins = ChargeState.ACCEPTED if view.may("collect_fee") else None  # whoever takes fees: those that are due
    asked = asked_one(view, "state", ChargeState) if "state" in view.request.query_params else begins
    number = view.asked("number")
    found = charges(view.session, view.reader, state=None if number else asked, number=number, **newest(view))
    due = asked is ChargeState.ACCEPTED and not number
    waiting = notices_to_receive(view.session, view.actor) if view.may("receive_notices") else []
    return view.show(
        "charges.html",
        table=Table(COLUMNS, found.items, found.next, NOTHING_DUE if due else NOTHING_FOUND, "charges"),
        filters=[*at_site(view), by_state(ChargeState, begins or ""), Filter("number", "通知单号（可只填末几位）")],
        due=due,
        waiting=waiting,
        failed=failed,
    )


@pages.get("/charges")
def list_charges(view: Annotated[View, see("read_charges")]) -> Response:
    return _charges(view)


@pages.post("/charges/receive")
def take_in_notices(view: Annotated[View, see("receive_notices")]) -> Response:
    return view.submit(
        Form(ReceiveNotices),
        lambda body: receive_notices(body, view),
        then="/finance/charges",
        again=lambda form: _charges(view, form),
        said="通知单财务联已接收",
    )


def _receipt(view: View, charge: ChargeView) -> ReceiptView | None:
    return receipt_by_id(view.session, view.actor, charge.receipt_id) if charge.receipt_id else None


def _collect_form(view: View, charge: ChargeView) -> Form[CollectFee]:
    offered = in_force(view.session, MethodPolicy, site_id=charge.site_id, at=view.now).methods
    out = {"receipt_id": str(charge.receipt_id)} if charge.receipt_id else {}
    return Form(
        CollectFee,
        choices={"method": [(one.value, one.value) for one in offered], "receipt_id": [("", "")]},
        fixed={"amount_fen": yuan_of(charge.fee_fen), **out},
        shown={"method": "cash"},
        id="collect",
    )


def _carry_form(view: View, charge: ChargeView) -> Form[CarryReceipt]:
    people = [(str(one.person_id), one.name) for one in charge.workers] or [
        (str(one.id), one.name) for one in colleagues(view.session, site_id=charge.site_id, roles=["worker"])
    ]
    return Form(CarryReceipt, choices={"worker_id": people}, id="carry")


def _charge(
    view: View, request_id: UUID, *, collect: Form[CollectFee] | None = None, carry: Form[CarryReceipt] | None = None
) -> Response:
    charge = charge_by_id(view.session, view.actor, request_id)
    receipt = _receipt(view, charge)
    due = CHARGE.allows(ChargeState(charge.state), ChargeStep.COLLECT) and view.may("collect_fee")
    payable = charge.state in PAYABLE and receipt is None and view.may("carry_receipt")
    return view.show(
        "charge.html",
        charge=charge,
        receipt=receipt,
        collect=(collect or _collect_form(view, charge)) if due else None,
        carry=(carry or _carry_form(view, charge)) if payable else None,
        next_number=next_number(view.session, charge.site_id) if due and receipt is None else None,
        out=receipt is not None and receipt.state == ReceiptState.CARRIED,
    )


@pages.get("/charges/{request_id}")
def read_charge(request_id: UUID, view: Annotated[View, see("read_charges")]) -> Response:
    return _charge(view, request_id)


@pages.post("/charges/{request_id}/collect")
def collect(request_id: UUID, view: Annotated[View, see("collect_fee")]) -> Response:
    at_the_desk = view.may("read_charges")  # a worker takes cash for the receipts he carries, from his own page
    form = _collect_form(view, charge_by_id(view.session, view.actor, request_id)) if at_the_desk else Form(CollectFee)
    return view.submit(
        form,
        lambda body: collect_fee(request_id, body, view),
        then=lambda receipt: f"/finance/receipts/{receipt.id}" if at_the_desk else "/finance/my-cash",
        again=lambda form: (
            _charge(view, request_id, collect=form)
            if at_the_desk
            else my_cash_page(view, collecting=(request_id, form))
        ),
        said="已收款，请把票据交给业主",
    )


@pages.post("/charges/{request_id}/carry")
def carry(request_id: UUID, view: Annotated[View, see("carry_receipt")]) -> Response:
    form = _carry_form(view, charge_by_id(view.session, view.actor, request_id))
    return view.submit(
        form,
        lambda body: carry_receipt(request_id, body, view),
        then=f"/finance/charges/{request_id}",
        again=lambda form: _charge(view, request_id, carry=form),
        said="票据已交服务人员外带",
    )
