"""Refunds in the month's income and shares, and in the ledger [D13, D16]."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.finance.actions import calculation, refund, settlement
from services.finance.queries.payouts import payout
from services.finance.queries.receipts import receipt_as_left
from services.finance.queries.refunds import refund_as_left, refunds
from services.finance.queries.settlements import SettlementLineView, SettlementView, settlement_as_left, settlements
from services.finance.rules.receipt import Method
from services.finance.rules.refund import RefundMethod
from services.finance.tasks import check_cash, hear_fine_confirmed, hear_month_figures_asked
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import MonthFiguresAsked
from shared.people import Actor
from tests.services.finance.office import MAY_FIRST, MONTH_END, MORNING, Office, sweep_all

JUNE_FIRST, JULY_FIRST = MAY_FIRST + timedelta(days=31), MAY_FIRST + timedelta(days=61)


def paid(office: Office, fee_fen: int = 10000):
    request_id = office.accepted(fee_fen=fee_fen, workers={office.worker.person_id: 2, office.mate.person_id: 1})
    return office.collect(request_id, amount_fen=fee_fen, method=Method.BANK, reference="1")


def test_income_and_shares_of_a_month_are_its_receipts_less_its_refunds(office: Office) -> None:
    office.refunded(paid(office), 4000)
    paid(office, 5000)
    office.end_month()
    computed = calculation.compute(
        office.session, site_id=office.site_id, month="2026-04", actor=office.lead, now=MAY_FIRST
    )
    view = settlement_as_left(office.session, computed)
    assert (view.received_fen, view.company_fen, view.workers_fen, view.reserve_fen) == (11000, 5500, 3850, 1650)
    assert {line.person_id: line.share_fen for line in view.lines} == {
        office.worker.person_id: 2333 - 933 + 1167,
        office.mate.person_id: 1167 - 467 + 583,
    }


def test_finances_figures_are_net_of_the_months_refunds(office: Office) -> None:
    office.refunded(paid(office), 4000)
    asked = MonthFiguresAsked(site_id=office.site_id, month="2026-04", asked_at=MONTH_END)
    hear_month_figures_asked(office.session, asked, now=MONTH_END)
    bodies = office.session.scalars(
        text("SELECT body FROM outbox WHERE type = 'FinanceFiguresGiven' ORDER BY sequence")
    ).all()
    assert [(body["receipts"], body["received_fen"]) for body in bodies] == [(1, 6000), (0, 0)]


def test_a_refund_is_shown_with_its_parts_and_on_its_receipt(office: Office) -> None:
    used = paid(office)
    made = refund_as_left(office.session, office.refunded(used, 4000))
    assert (made.receipt_number, made.company_fen, made.workers_fen, made.reserve_fen) == (used.number, 2000, 1400, 600)
    assert sorted(share.share_fen for share in made.shares) == [-933, -467]
    assert receipt_as_left(office.session, used).refunded_fen == 4000
    elsewhere = Office(office.session, code="LH")
    for actor, howmany in ((office.cashier, 1), (elsewhere.cashier, 0)):
        page = refunds(office.session, actor, month="2026-04", after=None, limit=10)
        assert len(page.items) == howmany


def settled(office: Office, month: str, now: datetime) -> SettlementView:
    """The month is agreed, computed and approved."""
    office.end_month(now, month=month)
    of_month: dict[str, Any] = {"site_id": office.site_id, "month": month, "now": now}
    calculation.compute(office.session, actor=office.lead, **of_month)
    office.session.flush()
    approved = settlement.approve(office.session, actor=office.leader, **of_month)
    office.books_balance()
    return settlement_as_left(office.session, approved)


def line_of(month: SettlementView, person: Actor) -> SettlementLineView:
    return next(line for line in month.lines if line.person_id == person.person_id)


def test_a_refund_of_a_settled_month_is_taken_from_the_open_one_and_what_a_share_lacks_from_the_next(
    office: Office,
) -> None:
    used = paid(office)  # worker 23.33, mate 11.67
    april = settled(office, "2026-04", MAY_FIRST)

    assert office.refunded(used, 10000, now=MAY_FIRST).month == "2026-05"
    office.paid(20000, workers={office.mate.person_id: 1}, now=MAY_FIRST)
    office.hand_over(office.clerk, office.cashier, now=MAY_FIRST)
    hear_fine_confirmed(office.session, office.fine(office.worker, 500, month="2026-05"), now=MAY_FIRST)
    may = settled(office, "2026-05", JUNE_FIRST)
    assert (may.received_fen, may.company_fen, may.workers_fen, may.reserve_fen) == (10000, 5000, 3500, 1500)
    worker, mate = line_of(may, office.worker), line_of(may, office.mate)
    assert (worker.share_fen, worker.share_carried_fen, worker.net_fen) == (0, 2333, 0)
    assert (worker.from_bonus_fen, worker.from_wage_fen) == (0, 500)
    assert (mate.share_fen, mate.share_carried_fen, mate.net_fen) == (7000 - 1167, 0, 5833)
    assert office.balance("workers_share", office.worker) == 2333
    assert settlements(office.session, office.lead, month="2026-04") == [april]
    jobs = {
        line.person_id: line.jobs
        for line in payout(office.session, office.lead, site_id=office.site_id, month="2026-05")
    }
    assert [(job.receipt_number, job.share_fen) for job in jobs[office.worker.person_id]] == [(used.number, -2333)]

    office.paid(10000, now=JUNE_FIRST)
    office.hand_over(office.clerk, office.cashier, now=JUNE_FIRST)
    worker = line_of(settled(office, "2026-06", JULY_FIRST), office.worker)
    assert (worker.brought_fen, worker.share_fen, worker.net_fen) == (2333, 3500 - 2333, 1167)
    assert office.balance("workers_share") == 0


def test_a_refund_after_closing_time_of_the_months_last_day_is_of_the_next_month(office: Office) -> None:
    used = paid(office)
    sweep_all(office.session, check_cash, now=MONTH_END)
    assert office.refunded(used, 1, now=MONTH_END - timedelta(minutes=31)).month == "2026-04"
    assert office.refunded(used, 1, now=MONTH_END - timedelta(minutes=30)).month == "2026-05"


def test_nothing_is_refunded_of_a_receipt_that_was_not_paid_or_is_of_another_site(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    for receipt_id, error in ((new_id(), NotFound), (paid(elsewhere).id, NotFound), (on_hand(office), RuleBroken)):
        with pytest.raises(error), office.session.begin_nested():
            refund.propose(
                office.session,
                receipt_id=receipt_id,
                amount_fen=1,
                reason="",
                method=RefundMethod.BANK,
                actor=office.cashier,
                now=MORNING,
            )


def on_hand(office: Office):
    return office.session.execute(text("SELECT id FROM receipts WHERE state = 'on_hand' LIMIT 1")).scalar_one()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE refunds SET workers_fen = workers_fen + 1", "ck_refunds_split"),
        ("UPDATE refunds SET decided_by = proposed_by", "ck_refunds_four_eyes"),
        ("UPDATE receipts SET refunded_fen = amount_fen + 1 WHERE state = 'used'", "ck_receipts_refunded"),
        ("UPDATE receipts SET amount_fen = 1 WHERE state = 'on_hand'", "ck_receipts_written"),
    ],
)
def test_the_database_refuses_a_refund_that_does_not_add_up(office: Office, change: str, constraint: str) -> None:
    office.refunded(paid(office), 4000)
    with pytest.raises(IntegrityError, match=constraint), office.session.begin_nested():
        office.session.execute(text(change))
