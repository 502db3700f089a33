"""Finance's books: prices, the reserve fund, the month's end and what people get [R55-R57, R72-R77, R89-R94]."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.finance.actions import price
from services.finance.queries.payouts import payout
from services.finance.queries.prices import price_difference, price_version_in_force
from services.finance.queries.reserves import reserve_statement
from services.finance.queries.settlements import settlements
from services.finance.rules.deduction import GuardPolicy
from services.finance.rules.reserve import Use
from services.finance.rules.settlement import MonthClosePolicy
from services.finance.tasks import check_cash, close_months
from shared.errors import Malformed
from tests.rulebook.company import refused
from tests.rulebook.test_rewards import line_of
from tests.services.finance.office import MAY_FIRST, MONTH_END, MORNING, Office, sweep_all
from tests.services.finance.test_guard import earns, end_may, guard, march_left
from tests.services.finance.test_month_close import answer, ask, stands, tried
from tests.services.finance.test_payment import failed, paid
from tests.services.finance.test_price import LAMP, TAP, draft
from tests.services.finance.test_price import approved as approved_prices
from tests.services.finance.test_reserve import decide, propose
from tests.services.finance.test_settlement import APRIL, agree, approve, april, compute, fined


def test_r055_a_draft_finance_takes_back_never_becomes_the_price_book(office: Office) -> None:
    version = draft(office)
    price.withdraw(office.session, version_id=version.id, actor=office.lead, now=MORNING)
    with refused(office.session, "R56", code="step_not_allowed"):
        price.approve(office.session, version_id=version.id, actor=office.leader, now=MORNING)


def test_r056_the_leader_sees_what_a_version_changes_before_he_approves_it(office: Office) -> None:
    approved_prices(office, TAP)
    found = price_difference(office.session, draft(office, TAP.model_copy(update={"max_fen": 9000}), LAMP).id)
    assert [item.code for item in found.added] == ["lamp"]
    assert [(change.before.max_fen, change.after.max_fen) for change in found.changed] == [(8000, 9000)]


def test_r057_on_each_day_one_approved_version_holds(office: Office) -> None:
    approved_prices(office, TAP)
    draft(office, LAMP)
    approved_prices(office, LAMP, since=date(2026, 5, 1))
    codes = [price_version_in_force(office.session, on=date(2026, month, 30)).items[0].code for month in (4, 5)]
    assert codes == ["tap", "lamp"]


def test_d10_no_version_holds_before_the_day_it_is_approved(office: Office) -> None:
    late = draft(office, since=date(2026, 3, 31))
    with refused(office.session, "D10", code="effective_in_the_past"):
        price.approve(office.session, version_id=late.id, actor=office.leader, now=MORNING)


def test_r072_a_statement_of_the_fund_adds_up_from_balance_to_balance(office: Office) -> None:
    office.paid(10000)
    decide(office, propose(office, Use.LOSS, 700))
    told = reserve_statement(office.session, office.leader, site_id=office.site_id, month=APRIL)
    assert (told.opening_fen, told.closing_fen) == (0, 800)
    assert sorted((movement.kind, movement.amount_fen) for movement in told.movements) == [
        ("loss", -700),
        ("receipt", 1500),
    ]


def test_r073_a_worker_has_his_share_and_is_not_rewarded_from_the_fund(office: Office) -> None:
    with refused(office.session, "R73", code="worker_has_a_share"):
        propose(office, person=office.worker)


def test_r074_only_a_loss_cites_a_damage(office: Office) -> None:
    damage_id = office.damage()
    assert propose(office, Use.LOSS, damage_id=damage_id).damage_id == damage_id
    with pytest.raises(Malformed, match="R74"):
        propose(office, Use.REWORK, damage_id=damage_id)


def test_r075_only_a_rework_cites_a_job_and_it_is_one_of_the_site(office: Office) -> None:
    job = office.notice()
    assert propose(office, Use.REWORK, request_id=job).request_id == job
    with pytest.raises(Malformed, match="R75"):
        propose(office, Use.LOSS, request_id=job)


def test_r089_what_comes_too_late_for_a_month_is_settled_in_the_next(office: Office) -> None:
    office.paid(10000)
    office.end_month()
    compute(office)
    fined(office, office.worker, 700)
    assert approve(office).fines_from_bonus_fen == 0
    assert line_of(end_may(office), office.worker).fine_fen == 700


def test_r090_a_list_says_whose_turn_it_is_before_the_accounts_are_agreed(office: Office) -> None:
    sweep_all(office.session, check_cash, now=MAY_FIRST)
    sweep_all(office.session, close_months, now=MAY_FIRST)
    assert stands(office)["statistics_agreed"] == "open"
    assert stands(office)["accounts_agreed_by_desk"] == "waiting"
    office.statistics_agreed()
    agree(office, office.desk_head)
    now = stands(office)
    assert (now["accounts_agreed_by_desk"], now["accounts_agreed_by_finance"], now["computed"]) == (
        "done",
        "open",
        "waiting",
    )


def test_r091_trying_out_gives_what_will_be_computed_and_keeps_nothing(office: Office) -> None:
    office.paid(10000)
    decide(office, propose(office, amount_fen=500))
    fined(office, office.worker, 100)
    early = tried(office)
    assert (early.state, april(office).lines) == ("open", [])
    office.end_month()
    assert compute(office).lines == early.lines


def test_r092_each_person_is_paid_once_and_exactly_or_it_is_known_why_not(office: Office) -> None:
    office.paid(10000)
    office.end_month()
    compute(office)
    sent = approve(office)
    (line,) = payout(office.session, office.lead, site_id=office.site_id, month=APRIL)
    assert [job.share_fen for job in line.jobs] == [line.share_fen] == [3500]
    failed(office, sent.id)
    assert line_of(april(office), office.worker).failure.cause == "account_closed"
    with refused(office.session, "R92", code="paid_differently"):
        paid(office, sent.id, net_fen=3499)
    paid(office, sent.id)
    with refused(office.session, "R92", code="paid_twice"):
        paid(office, sent.id, reference="ICBC-2")
    paid_line = line_of(april(office), office.worker)
    assert (paid_line.failure, paid_line.payment_reference) == (None, "ICBC-1")
    assert (office.balance("payroll"), office.balance("bank")) == (0, -3500)


def test_r093_a_fine_the_guard_carries_over_is_taken_from_the_next_months_share_first(office: Office) -> None:
    guard(office, GuardPolicy(mode="cap"))
    fined(office, office.worker, 1000)  # his wage is not known: nothing is taken from it
    office.end_month()
    assert line_of(compute(office), office.worker).carried_fen == 1000
    approve(office)
    office.paid(10000, now=MAY_FIRST)
    line = line_of(end_may(office), office.worker)
    assert (line.fine_fen, line.from_bonus_fen, line.net_fen, line.case_numbers) == (1000, 1000, 2500, ["CF-1"])


def test_r094_the_wage_bears_the_whole_shortfall_where_the_law_allows_it(office: Office) -> None:
    earns(office, office.worker, 5000_00)
    office.paid(10000)
    fined(office, office.worker, 200_00)
    office.end_month()
    line = line_of(compute(office), office.worker)
    assert (line.from_bonus_fen, line.from_wage_fen, line.guard) == (3500, 200_00 - 3500, "")


def test_d16_an_approved_month_is_locked_for_ever(office: Office) -> None:
    office.end_month()
    compute(office)
    approve(office)
    with refused(office.session, "D16", code="month_is_locked"):
        ask(office)


def test_d16_a_share_that_refunds_made_negative_is_paid_as_nothing_and_the_rest_waits(office: Office) -> None:
    office.paid(10000)
    march_left(office, office.worker, 4000)
    office.end_month()
    line = line_of(compute(office), office.worker)
    assert (line.net_fen, line.share_carried_fen) == (0, 500)


def test_d18_a_signed_month_is_reopened_only_by_another_than_who_proposed_it_and_is_signed_anew(office: Office) -> None:
    office.end_month()
    compute(office)
    ask(office)
    with refused(office.session, "D18", code="not_four_eyes"):
        answer(office, actor=replace(office.lead, role="leader"))
    answer(office)
    with refused(office.session, "R90", code="step_not_allowed"):
        compute(office)
    for actor in (office.desk_head, office.lead):
        agree(office, actor)
    assert compute(office).state == "computed"


def test_d18_the_pause_before_a_month_is_over_is_the_companys_to_set(office: Office) -> None:
    assert MonthClosePolicy().minutes_after_closing == 30
    guard(office, MonthClosePolicy(minutes_after_closing=45))
    sweep_all(office.session, close_months, now=MAY_FIRST)
    (may,) = settlements(office.session, office.lead, month="2026-05")
    assert may.closes_at == MONTH_END + timedelta(days=31, minutes=15)


@pytest.mark.parametrize(
    ("mode", "from_wage_fen", "carried_fen", "word"),
    [("off", 700_00, 0, ""), ("warn", 700_00, 0, "exceeds"), ("cap", 310_00, 390_00, "capped")],
    ids=["off", "warn", "cap"],
)
def test_d22_a_wage_of_3000_yuan_bears_310_yuan_or_its_approver_is_warned(
    office: Office, mode: str, from_wage_fen: int, carried_fen: int, word: str
) -> None:
    guard(office, GuardPolicy(mode=mode))
    earns(office, office.worker, 3000_00)
    fined(office, office.worker, 700_00)
    office.end_month()
    line = line_of(compute(office), office.worker)
    assert (line.from_wage_fen, line.carried_fen, line.guard) == (from_wage_fen, carried_fen, word)


def test_d22_at_most_a_fifth_of_the_wage_is_taken_and_the_default_is_to_warn(office: Office) -> None:
    assert GuardPolicy() == GuardPolicy(mode="warn", percent=20, minimum_wage_fen=2690_00)
    guard(office, GuardPolicy(mode="cap"))
    earns(office, office.worker, 10000_00)
    fined(office, office.worker, 2500_00)
    office.end_month()
    line = line_of(compute(office), office.worker)
    assert (line.from_wage_fen, line.carried_fen) == (2000_00, 500_00)
