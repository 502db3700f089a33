"""The month's comparison 月度核对: four departments, line by line, until they agree [R40-R42, D18]."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.lines import (
    AcceptLine,
    DisputeLine,
    SettleLine,
    accept_line,
    dispute_line,
    settle_line,
)
from services.intake.api.statistics import ask_figures, sign_statistics
from services.intake.pages.see import see
from services.intake.queries.statistics import MonthView, months
from services.intake.rules.report import shown
from services.intake.rules.statistics import LINE, SIGNABLE, SIGNERS, Item, Line, LineState, LineStep, line_of
from shared.errors import NotFound
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import MonthName

pages = APIRouter()

TONES = {
    LineState.AGREED: "good",
    LineState.SETTLED: "good",
    LineState.DIFFERS: "bad",
    LineState.DISPUTED: "bad",
    LineState.PROPOSED: "warn",
}
"""Where a line stands -> the colour of its badge."""


@dataclass(frozen=True)
class MonthRow:
    """A site's month in the list: how many lines do not agree, and how many departments signed."""

    site_id: UUID
    month: str
    state: str
    open_lines: int
    signed: str
    closes_at: Any
    agreed_at: Any


@dataclass(frozen=True)
class LineRow:
    """A line as the table shows it."""

    department: str
    item: str
    compared_with: str
    ours: str
    theirs: str | None
    figure: str | None
    state: str
    reason: str | None
    path: str
    tone: str


MONTHS = [
    Column("site_id", "小区", "site", link=lambda row: f"/intake/months/{row.month}/sites/{row.site_id}"),
    Column(
        "state",
        "状态",
        "badge",
        tone=lambda row: {"month.agreed": "good", "month.comparing": "warn"}.get(row.state, "calm"),
    ),
    Column("open_lines", "未一致项", "number"),
    Column("signed", "已签字部门"),
    Column("closes_at", "开始核对", "moment"),
    Column("agreed_at", "核对一致", "moment"),
]

LINES = [
    Column("department", "服务部门", "word", link=lambda row: row.path),
    Column("item", "项目", "word"),
    Column("ours", "客服部", "number"),
    Column("compared_with", "对账部门", "word"),
    Column("theirs", "对方数", "number"),
    Column("figure", "议定数", "number"),
    Column("state", "状态", "badge", tone=lambda row: row.tone),
    Column("reason", "异议"),
]


@pages.get("/months")
def list_months(view: Annotated[View, see("read_months")]) -> Response:
    month = view.asked_month()
    found = [_month_row(one) for one in months(view.session, view.actor, month=month)]
    table = Table(MONTHS, found, None, "这个月没有统计。请换一个月份。", f"months-{month}")
    return view.show("months.html", table=table, month=month, live="intake")


def _month_row(one: MonthView) -> MonthRow:
    state = "month.agreed" if one.agreed_at else "month.comparing" if one.asked_at else "month.running"
    unsettled = sum(line.state not in SIGNABLE for line in one.lines) if one.asked_at else 0
    signed = f"{len(one.signed)}/{len(SIGNERS)}"
    return MonthRow(one.site_id, one.month, state, unsettled, signed, one.closes_at, one.agreed_at)


def _month(view: View, month: str, site_id: UUID) -> MonthView:
    """The month at one of the person's sites. Raises NotFound."""
    for one in months(view.session, view.actor, month=month):
        if one.site_id == site_id:
            return one
    raise NotFound("month", month)


def _line_row(one: MonthView, line: Line) -> LineRow:
    def figure(value: int | None) -> str | None:
        return None if value is None else shown(line.item, value)

    path = f"/intake/months/{one.month}/sites/{one.site_id}/lines/{line.department}/{line.item}"
    return LineRow(
        line.department,
        f"item.{line.item}",
        line.compared_with,
        shown(line.item, line.ours),
        figure(line.theirs),
        figure(line.figure),
        f"line.{line.state}",
        line.reason,
        path if one.asked_at else "",
        TONES[line.state],
    )


def _page(view: View, month: str, site_id: UUID, wrong: Form[Any] | None = None) -> Response:
    one = _month(view, month, site_id)
    rows = [_line_row(one, line) for line in one.lines]
    return view.show(
        "month.html",
        one=one,
        wrong=wrong,
        table=Table(LINES, rows, None, "没有要核对的项目。", f"statistics-{month}"),
        signers=SIGNERS,
        signatures={signature.department: signature for signature in one.signatures},
        may_sign=_may_sign(view, one),
        live="intake",
    )


def _may_sign(view: View, one: MonthView) -> bool:
    """Whether this person's department is asked to sign now: the page offers it, the action decides."""
    under_comparison = one.asked_at is not None and one.agreed_at is None
    ours = view.actor.department in SIGNERS and view.actor.department not in one.signed
    signed_himself = view.actor.person_id in {signature.signed_by for signature in one.signatures}
    return under_comparison and ours and not signed_himself and one.all_agree and view.may("sign_statistics")


@pages.get("/months/{month}/sites/{site_id}")
def read_month(month: MonthName, site_id: UUID, view: Annotated[View, see("read_months")]) -> Response:
    return _page(view, month, site_id)


@pages.post("/months/{month}/sites/{site_id}/ask")
def ask(month: MonthName, site_id: UUID, view: Annotated[View, see("ask_figures")]) -> Response:
    return view.press(
        lambda: ask_figures(month, site_id, view),
        then=f"/intake/months/{month}/sites/{site_id}",
        again=lambda form: _page(view, month, site_id, form),
        said="已请各部门重新报数，原有签字作废",
    )


@pages.post("/months/{month}/sites/{site_id}/sign")
def sign(month: MonthName, site_id: UUID, view: Annotated[View, see("sign_statistics")]) -> Response:
    return view.press(
        lambda: sign_statistics(month, site_id, view),
        then=f"/intake/months/{month}/sites/{site_id}",
        again=lambda form: _page(view, month, site_id, form),
        said="已签字",
    )


def _line_page(
    view: View, month: str, site_id: UUID, which: tuple[str, Item], again: Form[Any] | None = None
) -> Response:
    """The page of a line of a department: what was said of it, and what this person can say."""
    department, item = which
    one = _month(view, month, site_id)
    line = line_of(one.lines, department, item)
    said = [entry for entry in one.entries if (entry.department, entry.item) == (department, item)]
    forms = {
        name: again if again is not None and again.body is body else _form(body, department, item)
        for name, body in (("dispute", DisputeLine), ("settle", SettleLine), ("accept", AcceptLine))
    }
    return view.show(
        "line.html",
        one=one,
        line=_line_row(one, line),
        history=[(entry, None if entry.figure is None else shown(entry.item, entry.figure)) for entry in said],
        forms=forms,
        can=_can(view, one, line),
        back=f"/intake/months/{month}/sites/{site_id}",
    )


def _can(view: View, one: MonthView, line: Line) -> Sequence[str]:
    """What this person can do with the line now: by its state, his role and his department."""
    if one.asked_at is None or one.agreed_at is not None:
        return ()
    other_side = view.actor.department == line.compared_with
    offered = {
        LineStep.DISPUTE: view.may("dispute_line") and view.actor.department in SIGNERS,
        LineStep.SETTLE: view.may("settle_line"),
        LineStep.ACCEPT: view.may("accept_line") and other_side,
    }
    return [str(step) for step, his in offered.items() if his and LINE.allows(line.state, step)]


def _form(body: type[Any], department: str, item: Item) -> Form[Any]:
    money = ("figure",) if item is Item.RECEIVED_FEN else ()
    about = {"department": department, "item": str(item)}
    return Form(body, fixed=about, money=money, needed=("note",), id=body.__name__.lower())


@pages.get("/months/{month}/sites/{site_id}/lines/{department}/{item}")
def read_line(
    month: MonthName, site_id: UUID, department: str, item: Item, view: Annotated[View, see("read_months")]
) -> Response:
    return _line_page(view, month, site_id, (department, item))


def _say(view: View, body: type[Any], act: Callable[[Any], Any], *, month: str, site_id: UUID, said: str) -> Response:
    """What somebody says of a line: the form of this body, posted from the line's page."""
    department, item = str(view.posted.get("department", "")), _item(view)
    return view.submit(
        _form(body, department, item),
        act,
        then=f"/intake/months/{month}/sites/{site_id}",
        again=lambda again: _line_page(view, month, site_id, (department, item), again),
        said=said,
    )


def _item(view: View) -> Item:
    """The item a posted form is about. Raises NotFound for none."""
    said = str(view.posted.get("item", ""))
    if said not in tuple(Item):
        raise NotFound("line", said)
    return Item(said)


@pages.post("/months/{month}/sites/{site_id}/lines/dispute")
def dispute(month: MonthName, site_id: UUID, view: Annotated[View, see("dispute_line")]) -> Response:
    def act(body: DisputeLine) -> Any:
        return dispute_line(month, site_id, body, view)

    return _say(view, DisputeLine, act, month=month, site_id=site_id, said="已提出异议，双方会收到提醒")


@pages.post("/months/{month}/sites/{site_id}/lines/settle")
def settle(month: MonthName, site_id: UUID, view: Annotated[View, see("settle_line")]) -> Response:
    def act(body: SettleLine) -> Any:
        return settle_line(month, site_id, body, view)

    return _say(view, SettleLine, act, month=month, site_id=site_id, said="已提出议定数，等对方确认")


@pages.post("/months/{month}/sites/{site_id}/lines/accept")
def accept(month: MonthName, site_id: UUID, view: Annotated[View, see("accept_line")]) -> Response:
    def act(body: AcceptLine) -> Any:
        return accept_line(month, site_id, body, view)

    return _say(view, AcceptLine, act, month=month, site_id=site_id, said="已确认，以议定数为准")
