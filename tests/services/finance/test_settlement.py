"""The month's settlement [R89-R94, D13, D18, D21]."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.finance.actions import calculation, settlement
from services.finance.queries.fines import fines
from services.finance.queries.payouts import payout
from services.finance.queries.settlements import SettlementView, settlement_as_left, settlements
from services.finance.tasks import (
    check_cash,
    close_months,
    hear_fine_confirmed,
    hear_month_figures_asked,
    hear_payout_received,
    hear_statistics_agreed,
)
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import MonthFiguresAsked, PayoutApproved, PayoutLine, PayoutReceived, StatisticsAgreed
from tests.people import published
from tests.services.finance.office import MAY_FIRST, MONTH_END, MORNING, Office, sweep_all
from tests.services.finance.test_reserve import decide, propose

SECOND = timedelta(seconds=1)
APRIL = "2026-04"


def april(office: Office) -> SettlementView:
    office.session.flush()
    office.session.expire_all()
    return settlements(office.session, office.lead, month=APRIL)[0]


def compute(office: Office, actor=None) -> SettlementView:
    computed = calculation.compute(
        office.session, site_id=office.site_id, month=APRIL, actor=actor or office.lead, now=MAY_FIRST
    )
    return settlement_as_left(office.session, computed)


def approve(office: Office, actor=None) -> SettlementView:
    approved = settlement.approve(
        office.session, site_id=office.site_id, month=APRIL, actor=actor or office.leader, now=MAY_FIRST
    )
    return settlement_as_left(office.session, approved)


def agree(office: Office, actor) -> SettlementView:
    agreed = settlement.agree_accounts(office.session, site_id=office.site_id, month=APRIL, actor=actor, now=MAY_FIRST)
    return settlement_as_left(office.session, agreed)


def fined(office: Office, person, amount_fen: int, **facts):
    message = office.fine(person, amount_fen, **facts)
    hear_fine_confirmed(office.session, message, now=MORNING)
    return message


def received(office: Office, view: SettlementView, **changed) -> None:
    facts = {
        "settlement_id": view.id,
        "site_id": office.site_id,
        "month": APRIL,
        "line_count": len(view.lines),
        "net_fen": view.net_fen,
        "received_at": MAY_FIRST,
    }
    hear_payout_received(office.session, PayoutReceived(**(facts | changed)), now=MAY_FIRST)
    office.session.flush()


def test_a_month_is_open_until_half_past_six_of_its_last_day_then_the_next_begins(office: Office) -> None:
    assert (april(office).state, april(office).closes_at) == ("open", MONTH_END)
    assert sweep_all(office.session, close_months, now=MONTH_END) == 0
    assert sweep_all(office.session, close_months, now=MONTH_END + SECOND) == 1
    assert april(office).state == "closed"
    may = settlements(office.session, office.lead, month="2026-05")[0]
    assert (may.state, may.closes_at) == ("open", MONTH_END + timedelta(days=31))


def test_agreed_statistics_are_kept_once_and_wait_for_a_month_not_known_yet(office: Office) -> None:
    message = StatisticsAgreed(site_id=office.site_id, month=APRIL, agreed_at=MONTH_END)
    hear_statistics_agreed(office.session, message, now=MONTH_END)
    hear_statistics_agreed(office.session, message.model_copy(update={"agreed_at": MAY_FIRST}), now=MAY_FIRST)
    assert april(office).statistics_agreed_at == MONTH_END
    with pytest.raises(NotYet):
        hear_statistics_agreed(office.session, message.model_copy(update={"month": "2026-06"}), now=MAY_FIRST)


def test_accounts_wait_for_the_close_the_statistics_and_the_daily_checks(office: Office) -> None:
    with pytest.raises(RuleBroken, match="open"):
        agree(office, office.desk_head)
    sweep_all(office.session, close_months, now=MAY_FIRST)
    with pytest.raises(RuleBroken) as refused:
        agree(office, office.desk_head)
    assert set(refused.value.allowed) == {"sign the month's statistics", "close the cash of every day"}
    sweep_all(office.session, check_cash, now=MAY_FIRST)
    office.statistics_agreed()
    assert agree(office, office.desk_head).state == "closed"


def test_accounts_are_agreed_when_desk_and_finance_have_both_signed(office: Office) -> None:
    sweep_all(office.session, check_cash, now=MAY_FIRST)
    sweep_all(office.session, close_months, now=MAY_FIRST)
    office.statistics_agreed()
    first = agree(office, office.cashier)
    assert (first.state, first.finance_agreed_by, first.desk_agreed_by) == ("closed", office.cashier.person_id, None)
    with pytest.raises(RuleBroken, match="finance has signed"):
        agree(office, office.lead)
    second = agree(office, office.desk_head)
    assert (second.state, second.desk_agreed_by) == ("agreed", office.desk_head.person_id)
    with pytest.raises(RuleBroken, match="the desk has signed"):
        agree(office, office.desk_head)


def test_nothing_is_computed_before_the_accounts_are_agreed_nor_approved_before_it_is_computed(office: Office) -> None:
    with pytest.raises(RuleBroken, match="open"):
        compute(office)
    with pytest.raises(RuleBroken, match="open"):
        approve(office)
    with pytest.raises(NotFound):
        calculation.compute(office.session, site_id=office.site_id, month="2027-01", actor=office.lead, now=MAY_FIRST)
    with pytest.raises(NotFound):
        compute(office, Office(office.session, code="LH").lead)


def test_a_settlement_is_the_sum_of_its_rows_and_each_line_explains_itself(office: Office) -> None:
    both = {office.worker.person_id: 2, office.mate.person_id: 1}
    for fee_fen in (99, 10000, 333):
        office.paid(fee_fen, workers=both)
    office.paid(5000, now=MONTH_END)  # May's
    decide(office, propose(office, amount_fen=500, person=office.cashier))
    fined(office, office.worker, 1000, number="CF-2")
    fined(office, office.worker, 500, number="CF-1")
    fined(office, office.desk_head, 20000, number="CF-3")
    office.end_month()
    view = compute(office)
    assert (view.state, view.drafted_by) == ("computed", office.lead.person_id)
    assert (view.received_fen, view.company_fen, view.workers_fen, view.reserve_fen) == (
        10432,
        49 + 5000 + 166,
        35 + 3500 + 117,
        15 + 1500 + 50,
    )
    lines = {line.person_id: line for line in view.lines}
    worker, mate = lines[office.worker.person_id], lines[office.mate.person_id]
    assert worker.share_fen + mate.share_fen == 3652
    assert worker.share_fen == 23 + 2333 + 78
    assert (worker.fine_fen, worker.from_bonus_fen, worker.from_wage_fen) == (1500, 1500, 0)
    assert (worker.net_fen, worker.case_numbers) == (worker.share_fen - 1500, ["CF-1", "CF-2"])
    assert (mate.fine_fen, mate.net_fen) == (0, mate.share_fen)
    cashier, head = lines[office.cashier.person_id], lines[office.desk_head.person_id]
    assert (cashier.reward_fen, cashier.net_fen, cashier.name) == (500, 500, "cashier-BK")
    assert (head.from_bonus_fen, head.from_wage_fen, head.net_fen) == (0, 20000, 0)
    assert (view.rewards_fen, view.fines_from_bonus_fen, view.from_wage_fen) == (500, 1500, 20000)
    assert view.net_fen == 3652 + 500 - 1500


def test_an_approved_settlement_is_posted_and_sent_to_hr_as_computed(office: Office) -> None:
    office.paid(10000)
    fined(office, office.worker, 5000)
    office.end_month()
    compute(office)
    view = approve(office)
    assert (view.state, view.approved_by, view.approved_at) == ("approved", office.leader.person_id, MAY_FIRST)
    assert published(office.session)[-1] == ("PayoutApproved", "hr")
    told = PayoutApproved.model_validate(
        office.session.execute(text("SELECT body FROM outbox WHERE type = 'PayoutApproved'")).scalar_one()
    )
    assert (told.settlement_id, told.net_fen, told.from_wage_fen) == (view.id, 0, 1500)
    assert told.lines == payout(office.session, office.lead, site_id=office.site_id, month=APRIL)
    (line,) = told.lines
    shown = asdict(view.lines[0])
    assert {part: shown[part] for part in PayoutLine.model_fields if part != "jobs"} == line.model_dump(
        exclude={"jobs"}
    )
    assert [(job.receipt_number, job.share_fen) for job in line.jobs] == [("SJ-BK-000001", 3500)]
    assert office.balance("workers_share") == 0
    assert office.balance("rewards_due") == 0
    assert office.balance("payroll") == 0
    assert office.balance("fines") == -5000
    assert office.balance("wage_deductions", office.worker) == 1500
    office.books_balance()
    (fine,) = fines(office.session, office.lead, after=None, limit=10).items
    assert (fine.settlement_id, fine.settled_at) == (view.id, MAY_FIRST)


def test_a_settlement_may_be_computed_again_until_it_is_approved(office: Office) -> None:
    office.paid(10000)
    fined(office, office.worker, 100)
    office.end_month()
    assert compute(office).fines_from_bonus_fen == 100
    fined(office, office.worker, 200, number="CF-2")
    again = compute(office)
    assert (again.fines_from_bonus_fen, len(again.lines)) == (300, 1)
    approve(office)
    with pytest.raises(RuleBroken, match="approved"):
        compute(office)


def test_a_fine_or_reward_that_comes_after_the_computing_waits_for_the_next_month(office: Office) -> None:
    office.paid(10000)
    office.end_month()
    compute(office)
    late = fined(office, office.worker, 700)
    decide(office, propose(office, amount_fen=500, person=office.cashier))
    view = approve(office)
    assert (view.fines_from_bonus_fen, view.rewards_fen) == (0, 0)
    office.session.expire_all()
    (fine,) = fines(office.session, office.lead, after=None, limit=10).items
    assert (fine.case_id, fine.settlement_id) == (late.case_id, None)
    june = MAY_FIRST + timedelta(days=31)
    office.end_month(june, month="2026-05")
    may = calculation.compute(office.session, site_id=office.site_id, month="2026-05", actor=office.lead, now=june)
    lines = {line.person_id: line for line in settlement_as_left(office.session, may).lines}
    assert (lines[office.worker.person_id].fine_fen, lines[office.worker.person_id].from_wage_fen) == (700, 700)
    assert lines[office.cashier.person_id].reward_fen == 500


def test_a_fine_is_kept_once_and_waits_for_its_site(office: Office) -> None:
    message = fined(office, office.worker, 700)
    hear_fine_confirmed(office.session, message, now=MORNING)
    assert len(fines(office.session, office.lead, after=None, limit=10).items) == 1
    with pytest.raises(NotYet):
        hear_fine_confirmed(office.session, message.model_copy(update={"site_id": new_id()}), now=MORNING)


def test_a_later_months_fine_is_not_deducted_yet(office: Office) -> None:
    office.paid(10000)
    fined(office, office.worker, 700, month="2026-05")
    office.end_month()
    assert compute(office).fines_from_bonus_fen == 0


def test_who_computed_does_not_approve(office: Office) -> None:
    office.end_month()
    compute(office)
    with pytest.raises(RuleBroken) as refused:
        approve(office, replace(office.lead, role="leader"))
    assert refused.value.code == "not_four_eyes"


def test_a_month_in_which_nothing_happened_is_settled_too(office: Office) -> None:
    office.end_month()
    compute(office)
    view = approve(office)
    assert (view.lines, view.net_fen) == ([], 0)
    assert published(office.session) == [("PayoutApproved", "hr")]
    office.books_balance()


def test_the_month_is_done_when_hr_holds_the_payout(office: Office) -> None:
    office.paid(10000)
    office.end_month()
    view = compute(office)
    with pytest.raises(NotYet):
        received(office, view, settlement_id=new_id())
    approve(office)
    for _ in range(2):
        received(office, view)
    done = april(office)
    assert (done.state, done.hr_received_at) == ("received", MAY_FIRST)


def test_a_payout_hr_holds_differently_is_not_taken_as_received(office: Office) -> None:
    office.paid(10000)
    office.end_month()
    compute(office)
    view = approve(office)
    with pytest.raises(RuleBroken, match="R92"):
        received(office, view, net_fen=view.net_fen + 1)


def test_finance_gives_its_figures_for_both_departments_zeros_included(office: Office) -> None:
    office.paid(10000)
    office.paid(99)
    office.paid(5000, now=MONTH_END)
    asked = MonthFiguresAsked(site_id=office.site_id, month=APRIL, asked_at=MONTH_END)
    hear_month_figures_asked(office.session, asked, now=MONTH_END)
    bodies = office.session.scalars(
        text("SELECT body FROM outbox WHERE type = 'FinanceFiguresGiven' ORDER BY sequence")
    ).all()
    assert [(b["department"], b["receipts"], b["received_fen"]) for b in bodies] == [
        ("engineering", 2, 10099),
        ("environment", 0, 0),
    ]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE settlements SET company_fen = company_fen + 1", "ck_settlements_split"),
        ("UPDATE settlements SET net_fen = net_fen + 1", "ck_settlements_net"),
        ("UPDATE settlements SET approved_by = drafted_by", "ck_settlements_four_eyes"),
        ("UPDATE settlement_lines SET net_fen = net_fen + 1", "ck_settlement_lines_net"),
        ("UPDATE settlement_lines SET from_wage_fen = 1", "ck_settlement_lines_fine"),
        (
            "UPDATE settlement_lines SET fine_fen = 1, from_wage_fen = 1",
            "ck_settlement_lines_bonus_first",
        ),
    ],
)
def test_the_database_refuses_a_settlement_that_does_not_add_up(office: Office, change: str, constraint: str) -> None:
    office.paid(10000)
    office.end_month()
    compute(office)
    with pytest.raises(IntegrityError, match=constraint), office.session.begin_nested():
        office.session.execute(text(change))
