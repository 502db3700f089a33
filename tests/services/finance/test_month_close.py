"""The month's close: its checklist, trying it out, and reopening it [R89-R92, D16, D18]."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from services.finance.actions import calculation, reopening
from services.finance.models import Carryover, Fine, Proposal
from services.finance.queries.checklists import checklist
from services.finance.queries.payouts import payout
from services.finance.queries.reopenings import reopenings
from services.finance.queries.settlements import SettlementView, settlements
from services.finance.rules.checklist import ITEMS, check
from services.finance.rules.settlement import MonthClosePolicy
from services.finance.tasks import check_cash, close_months
from shared.errors import NotFound, RuleBroken
from shared.policy_rows import change
from tests.people import employ
from tests.services.finance.office import MAY_FIRST, MONTH_END, MORNING, Office, sweep_all
from tests.services.finance.test_guard import march_left
from tests.services.finance.test_reserve import decide, propose
from tests.services.finance.test_settlement import APRIL, agree, approve, april, compute, fined


def stands(office: Office) -> dict[str, str]:
    office.session.flush()
    items = checklist(office.session, office.lead, site_id=office.site_id, month=APRIL)
    return {item.name: item.state for item in items}


def tried(office: Office, month: str = APRIL) -> SettlementView:
    office.session.flush()
    return calculation.try_out(office.session, site_id=office.site_id, month=month, actor=office.leader)


def ask(office: Office, *, actor: Any = None) -> Any:
    asked = reopening.propose(
        office.session,
        site_id=office.site_id,
        month=APRIL,
        reason="漏记一笔",
        actor=actor or office.lead,
        now=MAY_FIRST,
    )
    office.session.flush()
    return asked


def answer(office: Office, *, approve: bool = True, actor: Any = None) -> Any:
    decided = reopening.decide(
        office.session,
        site_id=office.site_id,
        month=APRIL,
        approve=approve,
        reason="同意",
        actor=actor or office.leader,
        now=MAY_FIRST,
    )
    office.session.flush()
    return decided


def test_an_item_is_done_or_open_or_waits_for_what_comes_first() -> None:
    nothing_done = {item.name: 1 for item in ITEMS}
    by_name = {item.name: item for item in check(nothing_done)}
    assert [item.name for item in by_name.values() if item.state == "open"] == [
        "month_is_over",
        "cash_checked",
        "receipts_explained",
    ]
    assert by_name["approved"].waits_for == ["computed"]
    assert {item.state for item in check(dict.fromkeys(nothing_done, 0))} == {"done"}


def test_every_item_waits_only_for_earlier_ones() -> None:
    names = [item.name for item in ITEMS]
    for place, item in enumerate(ITEMS):
        assert set(item.after) <= set(names[:place])


def test_the_checklist_follows_the_month(office: Office) -> None:
    office.paid(10000)
    fined(office, office.worker, 100)
    first = stands(office)
    assert (first["month_is_over"], first["cash_checked"], first["computed"]) == ("open", "open", "waiting")
    sweep_all(office.session, check_cash, now=MAY_FIRST)
    sweep_all(office.session, close_months, now=MAY_FIRST)
    office.statistics_agreed()
    agree(office, office.desk_head)
    signed = stands(office)
    assert (signed["accounts_agreed_by_desk"], signed["accounts_agreed_by_finance"]) == ("done", "open")
    assert (signed["computed"], signed["fines_taken_in"]) == ("waiting", "waiting")
    agree(office, office.lead)
    assert (stands(office)["computed"], stands(office)["fines_taken_in"]) == ("open", "open")
    compute(office)
    assert (stands(office)["fines_taken_in"], stands(office)["approved"]) == ("done", "open")
    fined(office, office.worker, 5, number="CF-9")
    assert stands(office)["fines_taken_in"] == "open"
    approve(office)
    last = stands(office)
    assert (last["approved"], last["received_by_hr"], last["all_paid"]) == ("done", "open", "open")


def test_a_receipt_still_carried_is_named(office: Office) -> None:
    from tests.services.finance.test_receipt import carry  # noqa: PLC0415  # beside its use

    carry(office, office.accepted())
    assert stands(office)["receipts_explained"] == "done", "nobody asks before closing time"
    sweep_all(office.session, check_cash, now=MAY_FIRST)
    assert (stands(office)["receipts_explained"], stands(office)["cash_checked"]) == ("open", "open")


def test_trying_out_gives_what_computing_gives_and_stores_nothing(office: Office) -> None:
    office.paid(10000)
    decide(office, propose(office, amount_fen=500))
    fined(office, office.worker, 4000)
    with office.session.begin_nested() as reading:
        office.session.execute(text("SET TRANSACTION READ ONLY"))
        early = tried(office)
        reading.rollback()
    assert (early.state, early.net_fen, early.from_wage_fen) == ("open", 500, 500)
    assert office.session.query(Fine).one().settlement_id is None
    assert april(office).lines == []
    office.end_month()
    before = tried(office)
    computed = compute(office)
    assert (before.lines, before.net_fen, before.rewards_fen) == (computed.lines, computed.net_fen, 500)
    approve(office)
    fined(office, office.worker, 1, number="CF-2")
    assert tried(office).lines == computed.lines


def test_trying_out_and_the_checklist_are_for_people_of_the_site(office: Office) -> None:
    stranger = Office(office.session, code="LH").lead
    with pytest.raises(NotFound):
        calculation.try_out(office.session, site_id=office.site_id, month=APRIL, actor=stranger)
    with pytest.raises(NotFound):
        checklist(office.session, stranger, site_id=office.site_id, month=APRIL)


def test_reopening_voids_the_signatures_and_what_was_computed(office: Office) -> None:
    office.paid(10000)
    fined(office, office.worker, 100)
    office.end_month()
    compute(office)
    ask(office)
    assert april(office).state == "computed"
    answer(office)
    view = april(office)
    assert (view.state, view.desk_agreed_by, view.finance_agreed_by, view.drafted_by) == ("closed", None, None, None)
    assert (view.lines, view.net_fen, view.received_fen) == ([], 0, 0)
    assert office.session.query(Fine).one().settlement_id is None
    with pytest.raises(RuleBroken, match="closed"):
        compute(office)
    for actor in (office.desk_head, office.lead):
        agree(office, actor)
    assert compute(office).net_fen == 3400
    assert approve(office).state == "approved"
    office.books_balance()


def test_a_reopened_month_gives_back_rewards_and_what_was_carried_into_it(office: Office) -> None:
    office.paid(10000)
    decide(office, propose(office, amount_fen=500))
    march_left(office, office.worker, 300)
    office.end_month()
    first = compute(office)
    assert (first.brought_fen, first.rewards_fen) == (300, 500)
    ask(office)
    answer(office)
    for row in (office.session.query(Carryover).one(), office.session.query(Proposal).one()):
        assert row.settlement_id is None
    for actor in (office.desk_head, office.lead):
        agree(office, actor)
    assert compute(office).lines == first.lines


def test_a_rejected_reopening_changes_nothing_and_another_may_be_proposed(office: Office) -> None:
    office.end_month()
    ask(office)
    with pytest.raises(RuleBroken, match="waits for the leader"):
        ask(office)
    assert answer(office, approve=False).state == "rejected"
    assert april(office).state == "agreed"
    with pytest.raises(RuleBroken, match="nobody proposed"):
        answer(office)
    ask(office)
    answer(office)
    shown = reopenings(office.session, office.lead, site_id=office.site_id, month=APRIL)
    assert [one.state for one in shown] == ["rejected", "approved"]


def test_who_proposed_the_reopening_does_not_decide_it(office: Office) -> None:
    office.end_month()
    ask(office)
    with pytest.raises(RuleBroken) as refused:
        answer(office, actor=replace(office.lead, role="leader"))
    assert refused.value.code == "not_four_eyes"


def test_an_approved_month_is_locked_for_ever_even_if_its_reopening_was_proposed_before(office: Office) -> None:
    office.end_month()
    compute(office)
    ask(office)
    approve(office)
    with pytest.raises(RuleBroken, match="never reopened"):
        answer(office)
    assert answer(office, approve=False).state == "rejected"
    with pytest.raises(RuleBroken, match="never reopened") as refused:
        ask(office)
    assert refused.value.rule == "D16"


def test_a_month_with_nothing_signed_is_not_reopened(office: Office) -> None:
    with pytest.raises(RuleBroken, match="open"):
        ask(office)


def test_how_long_after_closing_a_month_is_over_is_a_policy(office: Office) -> None:
    change(
        office.session,
        MonthClosePolicy(minutes_after_closing=90),
        site_id=office.site_id,
        effective_from=MORNING,
        reason="as decided",
        actor=employ(office.session, "administrator", "management"),
        now=MORNING,
    )
    sweep_all(office.session, close_months, now=MAY_FIRST)
    may = settlements(office.session, office.lead, month="2026-05")[0]
    assert may.closes_at == MONTH_END + timedelta(days=31, minutes=60)


def statements(office: Office, act: Callable[[], Any]) -> int:
    """How many statements an act sends to the database."""
    sent: list[str] = []
    connection = office.session.connection()

    def count(*facts: Any) -> None:
        sent.append(facts[2])

    event.listen(connection, "before_cursor_execute", count)
    act()
    event.remove(connection, "before_cursor_execute", count)
    return len(sent)


def test_computing_asks_the_database_as_often_for_forty_jobs_as_for_one(office: Office) -> None:
    office.paid(10000)
    office.end_month()
    compute(office)
    office.paid(10000)
    few = statements(office, lambda: compute(office))
    for fee in range(1, 40):
        office.paid(fee * 100, workers={office.worker.person_id: 1, office.mate.person_id: 2})
    fined(office, office.worker, 100)
    assert statements(office, lambda: compute(office)) == few


def test_a_month_leaves_one_row_for_each_person_however_many_jobs_there_were(office: Office) -> None:
    for fee in range(1, 40):
        office.paid(fee * 100)
    office.end_month()
    compute(office)
    assert office.session.execute(text("SELECT count(*) FROM settlement_lines")).scalar_one() == 1
    (line,) = payout(office.session, office.lead, site_id=office.site_id, month=APRIL)
    assert (len(line.jobs), sum(job.share_fen for job in line.jobs)) == (39, line.share_fen)
