"""The daily cash check and the chase of the next morning [R36, R85, R86, D6, D7]."""

from datetime import timedelta

from sqlalchemy import text

from services.finance.actions import hand_over
from services.finance.models import SiteDay
from services.finance.queries.daily_checks import cash_checks
from services.finance.queries.missing_cash import MissingCashView, missing_cash
from services.finance.tasks import chase_cash, check_cash
from tests.people import published
from tests.services.finance.office import CLOSING, MORNING, NEXT_MORNING, Office, day, sweep_all

SECOND = timedelta(seconds=1)


def cash_messages(office: Office) -> list[tuple[str, str]]:
    return [sent for sent in published(office.session) if sent[0].startswith("Cash")]


def missing(office: Office) -> list[MissingCashView]:
    return missing_cash(office.session, office.cashier, after=None, limit=10).items


def body(office: Office, type_: str) -> dict:
    rows = office.session.execute(
        text("SELECT body FROM outbox WHERE type = :type AND receiver = 'hr'"), {"type": type_}
    ).all()
    return rows[0].body


def test_a_site_begins_with_the_business_day_hr_told_of_it_and_only_once(office: Office) -> None:
    office.session.expire_all()
    begun = office.session.get(SiteDay, (office.site_id, day(1)))
    assert (begun.closes_at, begun.chase_at, begun.checked_at) == (CLOSING, NEXT_MORNING, None)
    late = Office(office.session, code="LH")
    late.begin(now=CLOSING)
    assert office.session.get(SiteDay, (late.site_id, day(2))) is not None
    assert office.session.get(SiteDay, (late.site_id, day(1))) is None


def test_at_closing_time_what_finance_has_not_got_is_listed_by_holder_and_the_next_day_begins(office: Office) -> None:
    office.paid(100)
    office.hand_over(office.clerk, office.cashier)
    office.paid(200)
    office.paid(300)
    office.paid(400, actor=office.desk_head)
    assert sweep_all(office.session, check_cash, now=CLOSING) == 0
    assert sweep_all(office.session, check_cash, now=CLOSING + SECOND) == 1
    first, second = cash_checks(office.session, office.cashier, month="2026-04")
    assert (first.day, first.checked_at, first.held_fen) == (day(1), CLOSING + SECOND, 900)
    assert {(f.holder_id, f.amount_fen, f.receipts) for f in first.findings} == {
        (office.clerk.person_id, 500, 2),
        (office.desk_head.person_id, 400, 1),
    }
    assert (second.day, second.closes_at, second.checked_at) == (day(2), CLOSING + timedelta(days=1), None)
    assert cash_messages(office) == []


def test_a_day_on_which_all_cash_reached_finance_holds_nothing(office: Office) -> None:
    office.paid()
    office.hand_over(office.clerk, office.cashier)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND)
    first = cash_checks(office.session, office.cashier, month="2026-04")[0]
    assert (first.held_fen, first.findings, first.chased_at) == (0, [], NEXT_MORNING + SECOND)
    assert missing(office) == []


def test_cash_of_the_next_business_day_is_not_listed_today(office: Office) -> None:
    office.paid(now=CLOSING)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    assert cash_checks(office.session, office.cashier, month="2026-04")[0].held_fen == 0


def test_what_is_still_missing_at_nine_is_told_by_holder_with_its_receipts(office: Office) -> None:
    mine = [office.paid(200), office.paid(300)]
    office.paid(400, actor=office.desk_head)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    assert sweep_all(office.session, chase_cash, now=NEXT_MORNING) == 0
    assert sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND) == 1
    found = {m.holder_id: m for m in missing(office)}
    assert set(found) == {office.clerk.person_id, office.desk_head.person_id}
    his = found[office.clerk.person_id]
    assert (his.day, his.amount_fen, his.holder_name) == (day(1), 500, "clerk-BK")
    assert his.receipt_numbers == [receipt.number for receipt in mine]
    assert cash_messages(office) == [("CashNotHandedOver", "intake"), ("CashNotHandedOver", "hr")] * 2


def test_cash_named_as_missing_is_not_named_again_the_next_day(office: Office) -> None:
    office.paid()
    for days in range(2):
        sweep_all(office.session, check_cash, now=CLOSING + timedelta(days=days) + SECOND)
        sweep_all(office.session, chase_cash, now=NEXT_MORNING + timedelta(days=days) + SECOND)
    assert len(missing(office)) == 1
    assert [check.held_fen for check in cash_checks(office.session, office.cashier, month="2026-04")] == [
        10000,
        0,
        0,
    ]


def test_missing_cash_is_returned_when_the_last_of_it_reaches_finance(office: Office) -> None:
    one, _ = office.paid(200), office.paid(300)
    sweep_all(office.session, check_cash, now=CLOSING + SECOND)
    sweep_all(office.session, chase_cash, now=NEXT_MORNING + SECOND)
    later = NEXT_MORNING + timedelta(hours=1)
    offered = office.offer(office.clerk, office.cashier, receipt_ids=[one.id], now=later)
    hand_over.count(office.session, hand_over_id=offered.id, counted_fen=200, actor=office.cashier, now=later)
    assert missing(office)[0].returned_at is None
    office.hand_over(office.clerk, office.cashier, now=later)
    office.session.expire_all()
    assert missing(office)[0].returned_at == later
    assert cash_messages(office)[-2:] == [("CashReturned", "intake"), ("CashReturned", "hr")]
    told, returned = body(office, "CashNotHandedOver"), body(office, "CashReturned")
    assert returned["missing_id"] == told["missing_id"]
    assert returned["amount_fen"] == told["amount_fen"] == 500


def test_days_that_passed_unseen_are_caught_up_each_once(office: Office) -> None:
    office.paid()
    later = MORNING + timedelta(days=3)
    assert sweep_all(office.session, check_cash, now=later) == 3
    assert sweep_all(office.session, chase_cash, now=later) == 3
    assert len(missing(office)) == 1
    assert missing(office)[0].day == day(1)


def test_sites_are_checked_together_and_apart(office: Office) -> None:
    elsewhere = Office(office.session, code="LH")
    elsewhere.begin()
    office.paid(100)
    elsewhere.paid(200)
    assert sweep_all(office.session, check_cash, now=CLOSING + SECOND) == 2
    assert cash_checks(office.session, office.cashier, month="2026-04")[0].held_fen == 100
    assert cash_checks(office.session, elsewhere.cashier, month="2026-04")[0].held_fen == 200
