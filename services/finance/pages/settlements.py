"""The month's close 月结: its checklist, both signatures, what each person gets, approval, reopening [R89-R94, D18]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.actions.calculation import try_out
from services.finance.api.reopenings import DecideReopening, decide_reopening, reopen_settlement
from services.finance.api.settlements import agree_accounts, approve_settlement, compute_settlement
from services.finance.pages.parts import BY_MONTH, free, month_in, month_of_path, percents, tone
from services.finance.pages.see import see
from services.finance.queries.checklists import checklist, checklists
from services.finance.queries.payouts import payout
from services.finance.queries.reopenings import ReopeningView, reopenings
from services.finance.queries.settlements import SettlementView, month_to_close, settlement_by_month, settlements
from services.finance.rules.reopening import LOCKED, ReopeningState
from services.finance.rules.settlement import SETTLEMENT, SettlementState, SettlementStep
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()


def _path(row: Any) -> str:
    return f"/finance/settlements/{row['site_id']}/{row['month']}"


MONTHS = [
    Column("site_id", "小区", "site", link=_path),
    Column("state", "状态", "badge", tone=lambda row: tone(row["one"])),
    Column("left", "待办", "number"),
    Column("received_fen", "收入", "money"),
    Column("company_fen", "公司留成", "money"),
    Column("workers_fen", "服务人员", "money"),
    Column("reserve_fen", "公积金", "money"),
    Column("net_fen", "应发合计", "money"),
]

LINES = [
    Column("name", "人员"),
    Column("share_fen", "分成", "money"),
    Column("reward_fen", "奖励", "money"),
    Column("fine_fen", "罚款", "money"),
    Column("from_bonus_fen", "从分成奖励扣", "money"),
    Column("from_wage_fen", "从工资扣", "money"),
    Column("carried_fen", "转下月", "money"),
    Column("guard", "限额提示", "badge", tone=lambda _: "warn"),
    Column("net_fen", "应发", "money"),
    Column("cases", "处罚单"),
    Column("paid_at", "发放时间", "moment"),
    Column("failed", "发放失败"),
]

SOMETIMES = (
    "reward_fen",
    "fine_fen",
    "from_bonus_fen",
    "from_wage_fen",
    "carried_fen",
    "guard",
    "paid_at",
)
"""What of a line is left out where it is nothing."""

JOBS = [
    Column("name", "人员"),
    Column("receipt_number", "票据"),
    Column("share_fen", "分成", "money"),
]


@pages.get("/settlements")
def list_settlements(view: Annotated[View, see("read_settlements")]) -> Response:
    month = month_in(view) or month_to_close(view.session, view.actor) or view.this_month()
    found = settlements(view.session, view.reader, month=month)
    lists = checklists(view.session, view.reader, month=month)
    rows = [
        {
            "one": one,
            "site_id": one.site_id,
            "month": one.month,
            "state": one.state,
            "left": sum(item.state != "done" for item in lists[one.site_id]),
            **{
                name: getattr(one, name)
                for name in ("received_fen", "company_fen", "workers_fen", "reserve_fen", "net_fen")
            },
        }
        for one in found
    ]
    return view.show(
        "settlements.html",
        live="finance",
        month=month,
        table=Table(MONTHS, rows, empty="这个月还没有开始。选别的月份再看。", name=f"settlements-{month}"),
        done=sum(one.state in LOCKED for one in found),
        found=found,
        filters=[BY_MONTH],
    )


def _lines(one: SettlementView) -> Table:
    """Each person's line; what nobody has anything of is no column."""
    rows = [
        {
            **{name: getattr(line, name) or None for name in SOMETIMES},
            "name": line.name,
            "share_fen": line.share_fen,
            "net_fen": line.net_fen,
            "cases": "、".join(line.case_numbers) or None,
            "failed": line.failure.reason if line.failure else None,
            "site_id": one.site_id,
        }
        for line in one.lines
    ]
    columns = [column for column in LINES if not rows or any(row[column.name] is not None for row in rows)]
    return Table(columns, rows, empty="还没有计算；先试算看看。", name=f"payout-{one.month}")


def _can(view: View, one: SettlementView) -> dict[str, bool]:
    """What he can do now of the month's steps."""
    now = SettlementState(one.state)
    desk = view.actor.role == "desk_head"
    mine, other = (one.desk_agreed_by, one.finance_agreed_by) if desk else (one.finance_agreed_by, one.desk_agreed_by)
    signs = SETTLEMENT.allows(now, SettlementStep.AGREE if other else SettlementStep.SIGN)
    signers = frozenset(filter(None, (one.desk_agreed_by, one.finance_agreed_by)))
    return {
        "agree": signs and mine is None and free(view, "agree_accounts", signer=other),
        "compute": SETTLEMENT.allows(now, SettlementStep.COMPUTE) and view.may("compute_settlement"),
        "approve": SETTLEMENT.allows(now, SettlementStep.APPROVE)
        and free(view, "approve_settlement", proposer=one.drafted_by, signer=signers),
        "reopen": SETTLEMENT.allows(now, SettlementStep.REOPEN) and view.may("propose_reopening"),
    }


def _settlement(view: View, site_id: UUID, month: str, **forms: Form[Any]) -> Response:
    one = settlement_by_month(view.session, view.actor, site_id=site_id, month=month_of_path(month))
    proposals = reopenings(view.session, view.actor, site_id=site_id, month=month)
    waiting = next((p for p in proposals if p.state == ReopeningState.PROPOSED), None)
    can = _can(view, one)
    return view.show(
        "settlement.html",
        live="finance",
        one=one,
        base=f"/finance/settlements/{site_id}/{month}",
        checked=checklist(view.session, view.actor, site_id=site_id, month=month),
        weights=percents(view, site_id, one.closes_at),
        table=_lines(one),
        can=can,
        reopen=forms.get("reopen", Form(Reason, id="reopen")) if can["reopen"] and waiting is None else None,
        decide=forms.get("decide", Form(DecideReopening, id="decide")) if _decides(view, waiting) else None,
        waiting=waiting,
        reopenings=proposals,
        locked=one.state in LOCKED,
        failed=forms.get("failed"),
    )


def _decides(view: View, waiting: ReopeningView | None) -> bool:
    return waiting is not None and free(view, "decide_reopening", proposer=waiting.proposed_by)


@pages.get("/settlements/{site_id}/{month}")
def read_settlement(site_id: UUID, month: str, view: Annotated[View, see("read_settlements")]) -> Response:
    return _settlement(view, site_id, month)


@pages.get("/settlements/{site_id}/{month}/dry-run")
def dry_run(site_id: UUID, month: str, view: Annotated[View, see("read_settlements")]) -> Response:
    """What computing would give now; nothing is stored."""
    one = try_out(view.session, site_id=site_id, month=month_of_path(month), actor=view.actor)
    return view.show(
        "dry_run.html",
        one=one,
        base=f"/finance/settlements/{site_id}/{month}",
        weights=percents(view, site_id, one.closes_at),
        table=_lines(one),
    )


@pages.get("/settlements/{site_id}/{month}/payout")
def read_payout(site_id: UUID, month: str, view: Annotated[View, see("read_settlements")]) -> Response:
    """Each person's jobs, as hr is sent them."""
    lines = payout(view.session, view.actor, site_id=site_id, month=month_of_path(month))
    rows = [
        {"name": line.name, "receipt_number": job.receipt_number, "share_fen": job.share_fen}
        for line in lines
        for job in line.jobs
    ]
    return view.show(
        "listing.html",
        title="发放明细",
        hint="每个人的每一笔分成；退款为负数。",
        table=Table(JOBS, rows, empty="还没有计算。", name=f"jobs-{month}"),
        filters=[],
        links=[("返回月结", f"/finance/settlements/{site_id}/{month}")],
    )


@pages.post("/settlements/{site_id}/{month}/agree-accounts")
def agree(site_id: UUID, month: str, view: Annotated[View, see("agree_accounts")]) -> Response:
    return view.press(
        lambda: agree_accounts(site_id, month_of_path(month), view),
        then=f"/finance/settlements/{site_id}/{month}",
        again=lambda form: _settlement(view, site_id, month, failed=form),
        said="已核账签字",
    )


@pages.post("/settlements/{site_id}/{month}/compute")
def compute(site_id: UUID, month: str, view: Annotated[View, see("compute_settlement")]) -> Response:
    return view.press(
        lambda: compute_settlement(site_id, month_of_path(month), view),
        then=f"/finance/settlements/{site_id}/{month}",
        again=lambda form: _settlement(view, site_id, month, failed=form),
        said="已计算，等分管领导批准",
    )


@pages.post("/settlements/{site_id}/{month}/approve")
def approve(site_id: UUID, month: str, view: Annotated[View, see("approve_settlement")]) -> Response:
    return view.press(
        lambda: approve_settlement(site_id, month_of_path(month), view),
        then=f"/finance/settlements/{site_id}/{month}",
        again=lambda form: _settlement(view, site_id, month, failed=form),
        said="已批准，发放表已送人事",
    )


@pages.post("/settlements/{site_id}/{month}/reopen")
def reopen(site_id: UUID, month: str, view: Annotated[View, see("propose_reopening")]) -> Response:
    return view.submit(
        Form(Reason, id="reopen"),
        lambda body: reopen_settlement(site_id, month_of_path(month), body, view),
        then=f"/finance/settlements/{site_id}/{month}",
        again=lambda form: _settlement(view, site_id, month, reopen=form),
        said="已申请重开，等分管领导审批",
    )


@pages.post("/settlements/{site_id}/{month}/reopen/decide")
def decide_reopen(site_id: UUID, month: str, view: Annotated[View, see("decide_reopening")]) -> Response:
    return view.submit(
        Form(DecideReopening, id="decide"),
        lambda body: decide_reopening(site_id, month_of_path(month), body, view),
        then=f"/finance/settlements/{site_id}/{month}",
        again=lambda form: _settlement(view, site_id, month, decide=form),
        said="已批示",
    )
