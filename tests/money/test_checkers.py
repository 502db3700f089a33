"""Strangers' programs accept the books as they are, and refuse them when one fen is wrong."""

import csv
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import Engine, text

from services.finance.queries.export import export_of
from services.finance.rules.ledger import JournalKind
from services.finance.rules.plain_text import yuan
from shared.db import WORKER, database
from tests.cases import cases
from tests.debian import needs
from tests.money.books import write
from tests.money.checkers import BEAN_CHECK, CHECKERS, HLEDGER, Checker, bean_errors
from tests.services.finance.office import Office
from tests.services.finance.test_api import House

SEED = 20260401
MUTATIONS = 50


def pieces(office: Office, checker: Checker, month: str | None = None) -> list[str]:
    return list(export_of(office.session, office.lead, checker.dialect, month=month))


def saved(folder: Path, book: list[str], checker: Checker) -> Path:
    path = folder / f"books.{checker.ending}"
    path.write_text("".join(book), encoding="utf-8")
    return path


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.ending)
def test_two_months_in_which_everything_happened_are_accepted_whole_and_by_month(
    lived: Office, checker: Checker, tmp_path: Path
) -> None:
    kinds = set(lived.session.execute(text("SELECT kind FROM journals")).scalars())
    assert kinds == set(JournalKind)
    for month in (None, "2026-04", "2026-05"):
        verdict = checker.check(saved(tmp_path, pieces(lived, checker, month), checker))
        assert verdict.status == 0, verdict.words


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.ending)
def test_books_in_which_nothing_happened_are_accepted(office: Office, checker: Checker, tmp_path: Path) -> None:
    assert checker.check(saved(tmp_path, pieces(office, checker), checker)).status == 0


# -- one fen wrong -----------------------------------------------------------------------------------------------

AMOUNT = re.compile(r"(-?)(\d+)\.(\d\d) CNY")


def one_more(line: str, fen: int) -> str:
    """The line with its last amount changed by so many fen."""
    *_, last = AMOUNT.finditer(line)
    held = int(last[2] + last[3]) * (-1 if last[1] else 1)
    return f"{line[: last.start()]}{yuan(held + fen)}{line[last.end() :]}"


def is_balance(piece: str) -> bool:
    return " balance" in piece.split("\n", 1)[0]


def is_transaction(piece: str) -> bool:
    return bool(re.match(r"\d{4}-\d\d-\d\d \* ", piece)) and not is_balance(piece)


Mutation = Callable[[list[str], int, random.Random], None]


def a_posting_changed(book: list[str], place: int, luck: random.Random) -> None:
    lines = book[place].splitlines(keepends=True)
    chosen = luck.randrange(1, len(lines))
    lines[chosen] = one_more(lines[chosen], luck.choice((1, -1)))
    book[place] = "".join(lines)


def a_fen_moved(book: list[str], place: int, luck: random.Random) -> None:
    """From one account to another, so that the transaction stays balanced."""
    lines = book[place].splitlines(keepends=True)
    giver = luck.randrange(1, len(lines))
    takers = [n for n in range(1, len(lines)) if lines[n].split()[0] != lines[giver].split()[0]]
    taker = luck.choice(takers)
    lines[giver], lines[taker] = one_more(lines[giver], -1), one_more(lines[taker], 1)
    book[place] = "".join(lines)


def a_posting_dropped(book: list[str], place: int, luck: random.Random) -> None:
    lines = book[place].splitlines(keepends=True)
    del lines[luck.randrange(1, len(lines))]
    book[place] = "".join(lines)


def a_transaction_dropped(book: list[str], place: int, luck: random.Random) -> None:
    del book[place]


def a_transaction_doubled(book: list[str], place: int, luck: random.Random) -> None:
    book.insert(place, book[place])


def the_rest_cut_off(book: list[str], place: int, luck: random.Random) -> None:
    del book[place:]


def a_balance_changed(book: list[str], place: int, luck: random.Random) -> None:
    book[place] = one_more(book[place], luck.choice((1, -1)))


OF_TRANSACTIONS: list[Mutation] = [
    a_posting_changed,
    a_fen_moved,
    a_posting_dropped,
    a_transaction_dropped,
    a_transaction_doubled,
    the_rest_cut_off,
]


def mutated(book: list[str], number: int) -> tuple[str, list[str]]:
    """The book with one thing wrong, the same for the same number in either dialect; and what that is."""
    luck = random.Random(SEED + number)
    mutation = [a_balance_changed, *OF_TRANSACTIONS][number % 7]
    places = [
        n for n, piece in enumerate(book) if (is_balance if mutation is a_balance_changed else is_transaction)(piece)
    ]
    place, wrong = luck.choice(places), [*book]
    mutation(wrong, place, luck)
    return f"{mutation.__name__} at {place} (seed {SEED + number})", wrong


def test_bean_check_catches_each_of_fifty_books_in_which_one_thing_is_wrong(lived: Office, tmp_path: Path) -> None:
    book = pieces(lived, BEAN_CHECK)
    assert bean_errors(saved(tmp_path, book, BEAN_CHECK)) == []
    missed = []
    for number in range(MUTATIONS):
        what, wrong = mutated(book, number)
        path = saved(tmp_path, wrong, BEAN_CHECK)
        errors = bean_errors(path)
        if not errors:
            missed.append(what)
        if number < 7:  # the command says what its loader says
            assert (BEAN_CHECK.check(path).status == 1) == bool(errors), what
    assert missed == []


def test_hledger_catches_each_of_fifty_books_in_which_one_thing_is_wrong(lived: Office, tmp_path: Path) -> None:
    book = pieces(lived, HLEDGER)
    assert HLEDGER.check(saved(tmp_path, book, HLEDGER)).status == 0
    missed = []
    for number in range(MUTATIONS):
        what, wrong = mutated(book, number)
        if HLEDGER.check(saved(tmp_path, wrong, HLEDGER)).status == 0:
            missed.append(what)
    assert missed == []


# -- many entries ------------------------------------------------------------------------------------------------

MEGABYTE = 2**20


def test_many_entries_are_accepted_by_both_and_never_held_in_memory(
    installation: str, committing: Engine, tmp_path: Path
) -> None:
    entries = cases(2000)
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
        people: dict[str, UUID] = {who: getattr(office, who).person_id for who in ("clerk", "worker", "mate")}
    with committing.begin() as owner:  # the database refuses at the end what does not balance
        write(owner, entries, site_id=office.site_id, **people)
    for checker in CHECKERS:
        path, process = tmp_path / f"books.{checker.ending}", psutil.Process()
        with database("finance", WORKER).session() as session, path.open("w", encoding="utf-8") as file:
            book = export_of(session, office.lead, checker.dialect, month=None)
            file.write(next(book))
            before = process.memory_info().rss
            file.writelines(book)
            grown = process.memory_info().rss - before
        assert grown < 24 * MEGABYTE, f"{grown / MEGABYTE:.0f} MB more for {path.stat().st_size / MEGABYTE:.0f} MB"
        written = path.read_text(encoding="utf-8")
        assert sum(map(is_transaction, written.splitlines())) == entries
        verdict = checker.check(path)
        assert verdict.status == 0, verdict.words[:1000]
        path.write_text(
            re.sub(r"(Assets\S+  \d+\.\d)(\d)", lambda m: f"{m[1]}{(int(m[2]) + 1) % 10}", written, count=1)
        )
        assert checker.check(path).status == 1


def test_an_export_is_read_from_the_database_as_it_is_written(lived: Office) -> None:
    open_cursors = text("SELECT count(*) FROM pg_cursors WHERE statement LIKE '%journal_lines%'")
    book = export_of(lived.session, lived.lead, BEAN_CHECK.dialect, month=None)
    while not is_transaction(next(book)):
        pass
    assert lived.session.execute(open_cursors).scalar_one() == 1
    assert sum(map(is_transaction, book)) > 0
    assert lived.session.execute(open_cursors).scalar_one() == 0


def test_the_journal_that_is_downloaded_is_accepted_whatever_words_are_in_it(house: House, tmp_path: Path) -> None:
    with house.office() as office:
        office.session.execute(
            text("UPDATE people SET name = :name WHERE id = :id"),
            {"name": '王; "小"\n  Assets:X  1.00 CNY | @ 明', "id": house.people["clerk"]},
        )
    house.paid()
    assert house.get("clerk", "/ledger/export.journal").status_code == 403
    for month, name in (("", "bianmin.journal"), ("?month=2026-04", "bianmin-2026-04.journal")):
        answer = house.get("auditor", f"/ledger/export.journal{month}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert "在手现金 王; " in answer.text
        verdict = HLEDGER.check(saved(tmp_path, [answer.text], HLEDGER))
        assert verdict.status == 0, verdict.words
    balances = subprocess.run(
        [needs("hledger", "hledger"), "-f", tmp_path / "books.journal", "balance", "--flat", "--no-total", "-O", "csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {row["amount_fen"] for row in house.get("auditor", "/ledger/balances").json()}
    theirs = {row[1] for row in list(csv.reader(balances.stdout.splitlines()))[1:]}
    assert theirs == {yuan(fen) for fen in ours}
