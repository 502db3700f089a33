"""The ledger is append-only, balanced and never overdraws the reserve: the database itself sees to it."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from services.finance.queries.ledger import balances, journals
from shared.ids import new_id
from tests.services.finance.office import MORNING, Office

ADD_JOURNAL = text(
    """INSERT INTO journals (id, site_id, kind, at, day, reference)
       VALUES (:id, :site_id, 'receipt', :at, '2026-04-01', :ref)"""
)
ADD_LINE = text("""
    INSERT INTO journal_lines (journal_id, line, account, site_id, amount_fen)
    VALUES (:id, :line, :account, :site_id, :amount_fen)
""")


def write(office: Office, *lines: tuple[str, int], reference: str = "") -> None:
    """Put a journal straight into the tables and let the database check it as at commit."""
    id_ = new_id()
    with office.session.begin_nested():
        office.session.execute(
            ADD_JOURNAL, {"id": id_, "site_id": office.site_id, "at": MORNING, "ref": reference or str(id_)}
        )
        for number, (account, amount_fen) in enumerate(lines):
            office.session.execute(
                ADD_LINE,
                {"id": id_, "line": number, "account": account, "site_id": office.site_id, "amount_fen": amount_fen},
            )
        office.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        office.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def test_a_balanced_journal_is_accepted(office: Office) -> None:
    write(office, ("bank", 100), ("company_share", -60), ("fines", -40))


@pytest.mark.parametrize(
    "lines", [(), (("bank", 100),), (("bank", 100), ("company_share", -99)), (("bank", 100), ("fines", 100))]
)
def test_a_journal_that_does_not_balance_is_refused(office: Office, lines: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(IntegrityError, match="journal"):
        write(office, *lines)


def test_a_line_added_to_a_journal_later_must_balance_too(office: Office) -> None:
    office.paid()
    journal = office.session.execute(text("SELECT id FROM journals")).scalar_one()
    office.session.execute(
        ADD_LINE, {"id": journal, "line": 99, "account": "bank", "site_id": office.site_id, "amount_fen": 1}
    )
    with pytest.raises(IntegrityError, match="sum to"):
        office.books_balance()


def test_a_line_of_nothing_is_refused(office: Office) -> None:
    with pytest.raises(IntegrityError, match="ck_journal_lines_something"):
        write(office, ("bank", 0), ("fines", 0))


def test_the_same_thing_is_posted_once(office: Office) -> None:
    write(office, ("bank", 1), ("fines", -1), reference="SJ-1")
    with pytest.raises(IntegrityError, match="uq_journals_kind"):
        write(office, ("bank", 1), ("fines", -1), reference="SJ-1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal_lines SET amount_fen = amount_fen * 2",
        "DELETE FROM journal_lines",
        "UPDATE journals SET reference = 'x'",
        "DELETE FROM journals",
        "UPDATE deposits SET amount_fen = 1",
    ],
)
def test_what_is_written_can_be_neither_changed_nor_removed_not_even_by_the_owner(
    office: Office, owner_of: Callable[[str], Connection], change: str
) -> None:
    office.paid()
    with pytest.raises(ProgrammingError, match="permission denied"), office.session.begin_nested():
        office.session.execute(text(change))
    with pytest.raises(IntegrityError, match="append-only"):
        owner_of("finance").execute(text(change))


def test_the_owner_cannot_empty_the_ledger_either(owner_of: Callable[[str], Connection]) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        owner_of("finance").execute(text("TRUNCATE journals, journal_lines, ledger_chain, unsealed_journals"))


def test_a_posting_that_overdraws_the_reserve_of_its_site_is_refused(office: Office) -> None:
    office.paid(10000)
    Office(office.session, code="LH").paid(10000)
    write(office, ("reserve_fund", 1500), ("company_share", -1500))
    with pytest.raises(IntegrityError, match="ck_balances_not_overdrawn"):
        write(office, ("reserve_fund", 1), ("company_share", -1))


def test_all_balances_together_are_zero_and_each_journal_explains_itself(office: Office) -> None:
    used = office.paid(99)
    office.hand_over(office.clerk, office.cashier)
    held = balances(office.session, office.lead)
    assert sum(b.amount_fen for b in held) == 0
    assert {b.account: b.amount_fen for b in held} == {
        "cash_in_hand": 0,
        "cash_at_finance": 99,
        "company_share": -49,
        "workers_share": -35,
        "reserve_fund": -15,
    }
    first, second = journals(office.session, office.lead, after=None, limit=10).items
    assert (first.kind, first.reference, len(first.lines)) == ("receipt", used.number, 4)
    assert (second.kind, [line.amount_fen for line in second.lines]) == ("hand_over", [99, -99])
    assert journals(office.session, Office(office.session, code="LH").lead, after=None, limit=10).items == []
