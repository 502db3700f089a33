"""The ledger as beancount reads it: whoever has the file can check the books [R33-R36, R70-R72, R92]."""

import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from beancount import loader
from beancount.core.data import Balance, Transaction
from sqlalchemy import text

from services.finance.queries.cash import cash
from services.finance.queries.export import export_of
from services.finance.queries.ledger import balances
from services.finance.queries.reserves import reserve_fen
from services.finance.queries.settlements import settlements
from services.finance.rules import beancount
from services.finance.rules.ledger import CHART, Account
from services.finance.rules.plain_text import account_name, yuan
from services.finance.rules.receipt import Method
from services.finance.rules.reserve import Use
from tests.services.finance.office import CLOSING, MAY_FIRST, MONTH_END, Office
from tests.services.finance.test_api import House, house
from tests.services.finance.test_guard import end_may
from tests.services.finance.test_payment import paid
from tests.services.finance.test_reserve import decide, propose
from tests.services.finance.test_settlement import APRIL, approve, compute, fined

__all__ = ["house"]


def load(book: str) -> tuple[list, list[str]]:
    entries, errors, _ = loader.load_string(book)
    return entries, [error.message for error in errors]


def export(office: Office, month: str | None = None) -> str:
    office.session.flush()
    return "".join(export_of(office.session, office.lead, beancount, month=month))


def sums(entries: list, until: date = date.max) -> dict[str, int]:
    """What beancount makes of every account, in fen."""
    held: dict[str, int] = defaultdict(int)
    for entry in entries:
        if isinstance(entry, Transaction) and entry.date < until:
            for posting in entry.postings:
                held[posting.account] += int(posting.units.number * 100)
    return {account: fen for account, fen in held.items() if fen}


def ours(office: Office) -> dict[str, int]:
    """What we make of them."""
    return {
        account_name(Account(b.account), "BK", b.person_id): b.amount_fen
        for b in balances(office.session, office.lead)
        if b.amount_fen
    }


@pytest.fixture
def lived(office: Office) -> Office:
    """Two months of a site: cash and bank, the fund, fines, a settlement, a payment, and what came after closing."""
    office.paid(10000, workers={office.worker.person_id: 2, office.mate.person_id: 1})
    office.paid(99, now=CLOSING)
    office.collect(office.accepted(fee_fen=333), amount_fen=333, method=Method.WECHAT, reference="4200001")
    office.hand_over(office.clerk, office.cashier)
    decide(office, propose(office, Use.REWARD, 500))
    decide(office, propose(office, Use.LOSS, 100))
    fined(office, office.worker, 5000)
    office.paid(5000, now=MONTH_END)
    office.end_month()
    compute(office)
    settled = approve(office)
    mate = next(line for line in settled.lines if line.person_id == office.mate.person_id)
    paid(office, settled.id, person_id=mate.person_id, net_fen=mate.net_fen)
    office.paid(700, now=MAY_FIRST)
    end_may(office)
    return office


def test_every_account_is_in_the_chart_and_grows_on_the_side_of_its_kind() -> None:
    assert set(CHART) == set(Account)
    sides = {entry.kind: entry.normal_side for entry in CHART.values()}
    assert sides == {"asset": "debit", "liability": "credit", "income": "credit"}


@pytest.mark.parametrize(
    ("fen", "shown"), [(0, "0.00 CNY"), (5, "0.05 CNY"), (-5, "-0.05 CNY"), (-12345, "-123.45 CNY")]
)
def test_fen_are_written_as_yuan_with_two_decimals(fen: int, shown: str) -> None:
    assert yuan(fen) == shown


def test_words_with_quotes_and_line_breaks_stay_one_string() -> None:
    book = beancount.HEAD + beancount.opened(date(2026, 4, 1), "Assets:BK:Bank", 'a "b" \\ c\nd')
    entries, errors = load(book)
    assert (errors, entries[0].meta["title"]) == ([], 'a "b" \\ c d')


def test_beancount_accepts_the_whole_ledger_and_finds_our_balances(lived: Office) -> None:
    entries, errors = load(export(lived))
    assert errors == []
    assert sums(entries) == ours(lived)
    journals = lived.session.execute(text("SELECT count(*) FROM journals")).scalar_one()
    assert len([entry for entry in entries if isinstance(entry, Transaction)]) == journals


def test_every_account_is_asserted_at_the_end_of_each_month(lived: Office) -> None:
    entries, _ = load(export(lived))
    asserted = defaultdict(dict)
    for entry in entries:
        if isinstance(entry, Balance):
            asserted[entry.date][entry.account] = int(entry.amount.number * 100)
    assert set(asserted) == {date(2026, 5, 1), date(2026, 6, 1)}
    for day, held in asserted.items():
        assert {account: fen for account, fen in held.items() if fen} == sums(entries, until=day)
    may_fee = account_name(Account.RESERVE_FUND, "BK", None)
    assert asserted[date(2026, 6, 1)][may_fee] - asserted[date(2026, 5, 1)][may_fee] == -(750 + 105)


def test_one_month_stands_on_the_balances_before_it(lived: Office) -> None:
    whole, _ = load(export(lived))
    april, errors = load(export(lived, APRIL))
    assert (errors, sums(april)) == ([], sums(whole, until=date(2026, 5, 1)))
    may, errors = load(export(lived, "2026-05"))
    assert (errors, sums(may)) == ([], sums(whole))
    assert next(entry for entry in may if isinstance(entry, Transaction)).payee == "opening"


def test_one_fen_changed_anywhere_is_refused(lived: Office) -> None:
    book = export(lived)
    lines = book.splitlines(keepends=True)
    amounts = [place for place, line in enumerate(lines) if re.match(r"  (Assets|Liab|Income)|.* balance ", line)]
    for place in amounts:
        number = re.search(r"(-?\d+)\.(\d\d) CNY", lines[place])
        fen = int(number[1] + number[2]) + 1
        changed = [*lines]
        changed[place] = lines[place].replace(number[0], yuan(fen))
        assert load("".join(changed))[1], lines[place]


def test_a_fen_moved_from_one_account_to_another_is_refused(lived: Office) -> None:
    postings = re.search(r"(  Assets\S+  )100.00( CNY\n  Income\S+  )-50.00( CNY)", export(lived))
    moved = export(lived).replace(postings[0], f"{postings[1]}100.01{postings[2]}-50.01{postings[3]}")
    errors = load(moved)[1]
    assert errors
    assert all("Balance failed" in error for error in errors)


def test_a_ledger_with_nothing_in_it_is_a_valid_file(office: Office) -> None:
    assert load(export(office)) == ([], [])


def test_each_is_given_the_sites_he_sees_and_no_others(lived: Office) -> None:
    elsewhere = Office(lived.session, code="LH")
    elsewhere.begin()
    elsewhere.paid(10000)
    assert ":LH:" not in export(lived)
    company = "".join(export_of(lived.session, replace(lived.lead, site_ids=None), beancount, month=None))
    assert ":LH:" in company
    assert load(company)[1] == []


def test_the_file_that_is_downloaded_passes_bean_check(house: House, tmp_path: Path) -> None:
    house.paid()
    house.handed_over()
    answer = house.get("finance_lead", "/ledger/export.beancount")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert house.get("clerk", "/ledger/export.beancount").status_code == 403
    book = tmp_path / "bianmin.beancount"
    book.write_text(answer.text, encoding="utf-8")
    check = Path(sys.executable).parent / "bean-check"
    assert subprocess.run([check, "--no-cache", book], check=False).returncode == 0
    book.write_text(answer.text.replace("100.00", "100.01", 1), encoding="utf-8")
    assert subprocess.run([check, "--no-cache", book], check=False, capture_output=True).returncode == 1
    month = house.get("auditor", "/ledger/export.beancount?month=2026-04")
    assert month.headers["content-disposition"] == 'attachment; filename="bianmin-2026-04.beancount"'
    assert load(month.text)[1] == []


def test_every_figure_on_a_screen_is_a_balance_of_the_ledger(lived: Office) -> None:
    lived.paid(4000, now=MAY_FIRST)
    ledger: dict[tuple[str, UUID | None], int] = {
        (b.account, b.person_id): b.amount_fen for b in balances(lived.session, lived.lead)
    }
    in_hand = cash(lived.session, lived.lead)
    assert in_hand
    for held in in_hand:
        assert held.amount_fen == ledger["cash_in_hand", held.holder_id]
    assert reserve_fen(lived.session, lived.site_id) == -ledger["reserve_fund", None]
    (april,) = settlements(lived.session, lived.lead, month=APRIL)
    assert any(line.paid_at is None and line.net_fen for line in april.lines)
    for line in april.lines:
        assert (0 if line.paid_at else -line.net_fen) == ledger.get(("payroll", line.person_id), 0)
        assert line.from_wage_fen == ledger.get(("wage_deductions", line.person_id), 0)
    assert april.fines_from_bonus_fen + april.from_wage_fen == -ledger["fines", None]
    (may,) = settlements(lived.session, lived.lead, month="2026-05")
    assert april.company_fen + may.company_fen + 100 + 2000 == -ledger["company_share", None]
