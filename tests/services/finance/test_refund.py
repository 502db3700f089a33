"""Refunds in the month's income and shares, and in the ledger [D13, D16]."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.finance.actions import calculation, refund
from services.finance.queries.receipts import receipt_as_left
from services.finance.queries.refunds import refund_as_left, refunds
from services.finance.queries.settlements import settlement_as_left
from services.finance.rules.receipt import Method
from services.finance.rules.refund import RefundMethod
from services.finance.tasks import hear_month_figures_asked
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import MonthFiguresAsked
from tests.services.finance.office import MAY_FIRST, MONTH_END, MORNING, Office


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
