"""Payouts 发放: what each person gets of a month, paid or failed, line by line or by a file of results [R92-R94]."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from services.hr.actions.payout import BadRows
from services.hr.api.payouts import ConfirmPaid, ResultRow, TellFailed, TellResults, confirm_paid, tell_failed
from services.hr.api.payouts import tell_results as results_by_api
from services.hr.pages.income import PAYMENTS
from services.hr.pages.see import see
from services.hr.queries.payouts import PayoutView, payout_by_id, payout_summaries
from services.hr.rules.payout import PAYMENT, PaymentState, PaymentStep
from shared.errors import Malformed, Problem
from shared.table_files import NotATable, Row, table_of
from shared.ui.forms import Form, Nothing, sentence_of
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

MAX_UNPACKED = 20_000_000
"""Bytes an XLSX file may unpack to, in a request that somebody waits for."""

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "person_id": ("人员编号", "person_id"),
    "reference": ("凭证号", "reference"),
    "cause": ("失败原因", "cause"),
    "reason": ("说明", "reason"),
}
"""Field of a row -> the headings by which it is known."""

CAUSES = {"查无此人": "unknown_payee", "账户已销": "account_closed", "银行退回": "returned"}
"""How people write why somebody could not be paid -> what it is."""

COLUMNS = [
    Column("month", "月份", link=lambda row: f"/hr/payouts/{row.settlement_id}"),
    Column("site_id", "小区", "site"),
    Column("state", "状态", "badge", tone=lambda row: PAYMENTS[PaymentState(row.state)]),
    Column("lines", "人数", "number"),
    Column("paid", "已发放", "number"),
    Column("due", "待发放", "number"),
    Column("failed", "发放失败", "number"),
    Column("net_fen", "实发合计", "money"),
    Column("unpaid_fen", "未发放", "money"),
    Column("from_wage_fen", "工资扣款", "money"),
    Column("received_at", "收到时间", "moment"),
]

LINES = [
    Column("name", "姓名"),
    Column("person_id", "人员编号"),
    Column("share_fen", "分成", "money"),
    Column("reward_fen", "奖励", "money"),
    Column("fine_fen", "罚款", "money"),
    Column("from_bonus_fen", "从奖金扣", "money"),
    Column("from_wage_fen", "从工资扣", "money"),
    Column("carried_fen", "结转下月", "money"),
    Column("net_fen", "实发", "money"),
    Column("state", "状态", "badge"),
    Column("reference", "凭证号"),
]


@pages.get("/payouts")
def list_payouts(view: Annotated[View, see("read_payouts")]) -> Response:
    found = payout_summaries(
        view.session,
        view.actor,
        site_id=view.asked_site(),
        month=view.asked_month() if view.asked("month") else None,
        after=view.asked_id(),
        limit=view.rows,
    )
    empty = "还没有批准的发放；月结由领导批准后送到这里。"
    return view.show("payouts.html", payouts=Table(COLUMNS, found.items, found.next, empty, "payouts"), live="hr")


def _show(view: View, one: PayoutView, *, bad: Mapping[int, Any] | None = None, **forms: Form[Any]) -> Response:
    can = view.may("confirm_payment")
    payable = {
        line.person_id: can
        and line.person_id != view.actor.person_id
        and PAYMENT.allows(PaymentState(line.state), PaymentStep.PAY)
        for line in one.lines
    }
    at = view.asked_id("line")
    return view.show(
        "payout.html",
        one=one,
        payable=payable,
        pay=forms.get("pay") or Form(ConfirmPaid, id="pay"),
        fail=forms.get("fail") or Form(TellFailed, id="fail"),
        file=forms.get("file") or Form(Nothing, id="file"),
        line=next((line for line in one.lines if line.person_id == (forms.get("at") or at)), None),
        bad=bad or {},
        headings=HEADINGS,
        tones=PAYMENTS,
        table=Table(LINES, one.lines, None, "没有人员", f"payout-{one.month}"),
        live="hr",
    )


@pages.get("/payouts/{settlement_id}")
def show_payout(settlement_id: UUID, view: Annotated[View, see("read_payouts")]) -> Response:
    return _show(view, payout_by_id(view.session, view.actor, settlement_id))


def _again(view: View, settlement_id: UUID, person_id: UUID, **forms: Any) -> Response:
    return _show(view, payout_by_id(view.session, view.actor, settlement_id), at=person_id, **forms)  # type: ignore[arg-type]  # the person whose line it is


@pages.post("/payouts/{settlement_id}/lines/{person_id}/paid")
def pay(settlement_id: UUID, person_id: UUID, view: Annotated[View, see("confirm_payment")]) -> Response:
    return view.submit(
        Form(ConfirmPaid, id="pay"),
        lambda body: confirm_paid(settlement_id, person_id, body, view),
        then=f"/hr/payouts/{settlement_id}",
        again=lambda form: _again(view, settlement_id, person_id, pay=form),
        said="已确认发放",
    )


@pages.post("/payouts/{settlement_id}/lines/{person_id}/failed")
def fail(settlement_id: UUID, person_id: UUID, view: Annotated[View, see("confirm_payment")]) -> Response:
    return view.submit(
        Form(TellFailed, id="fail"),
        lambda body: tell_failed(settlement_id, person_id, body, view),
        then=f"/hr/payouts/{settlement_id}",
        again=lambda form: _again(view, settlement_id, person_id, fail=form),
        said="已登记发放失败，财务会收到",
    )


@pages.post("/payouts/{settlement_id}/results")
def tell_results(settlement_id: UUID, view: Annotated[View, see("confirm_payment")]) -> Response:
    """A file of results: every row takes effect, or none, and every bad row is named by its number in the file."""
    bad: dict[int, Any] = {}

    def act(_: Nothing) -> Any:
        rows = _rows(view, bad)
        if bad:
            raise Malformed("bad_rows", "some rows cannot be read")
        try:
            return results_by_api(settlement_id, TellResults(rows=rows), view)
        except BadRows as refused:
            bad.update({number: view.sentence(problem) for number, problem in refused.rows.items()})
            raise

    return view.submit(
        Form(Nothing, id="file"),
        act,
        then=f"/hr/payouts/{settlement_id}",
        again=lambda form: _show(view, payout_by_id(view.session, view.actor, settlement_id), bad=bad, file=form),
        said="发放结果已全部导入",
    )


def _rows(view: View, bad: dict[int, Any]) -> list[ResultRow]:
    """The rows of the posted file; what is wrong with one goes into `bad`.

    Raises Malformed for what is no such table.
    """
    sent = view.posted.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise Malformed("no_file", "send a CSV or XLSX file")
    try:
        table = table_of(Path(sent.filename), sent.file.read(), max_unpacked=MAX_UNPACKED)
    except NotATable as error:
        raise Malformed("no_table", str(error)) from None
    if not table.headings & {*HEADINGS["person_id"]} or not table.headings & {*HEADINGS["reference"]}:
        raise Malformed("no_such_column", "the file lacks person_id or reference")
    if not table:
        raise Malformed("no_table", "the file has no rows")
    if len(table) > 1000:
        raise Malformed("too_many_rows", f"{len(table)} rows, at most 1000")
    rows = []
    for row in table:
        try:
            rows.append(_row(row))
        except ValidationError as error:
            bad[row.number] = sentence_of(error.errors()[0])
        except Problem as problem:
            bad[row.number] = view.sentence(problem)
    return rows


def _row(row: Row) -> ResultRow:
    if row.problem:
        raise Malformed("bad_row", row.problem)
    cells = {
        field: next((row.cells[name] for name in names if row.cells.get(name)), None)
        for field, names in HEADINGS.items()
    }
    cause = cells["cause"]
    return ResultRow.model_validate({**cells, "row": row.number, "cause": CAUSES.get(cause, cause) if cause else None})
