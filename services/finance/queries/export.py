"""The ledger in plain text, so that a stranger can check the books."""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.finance.rules.ledger import CHART, Account
from services.finance.rules.plain_text import Dialect, account_name
from shared.calendar import first_day, last_day
from shared.people import Actor

# every line of the person's sites with its day; a month has what came before it as its opening balances
_POSTED = """
    SELECT l.journal_id, l.line, l.account, l.person_id, l.amount_fen, j.kind, j.reference, sites.code AS site_code,
           j.day
    FROM journal_lines l
    JOIN journals j ON j.id = l.journal_id
    JOIN sites ON sites.id = l.site_id
    WHERE (CAST(:sites AS uuid[]) IS NULL OR l.site_id = ANY(:sites))
"""


_ACCOUNTS = text(f"""
    SELECT account, site_code, person_id, people.name, greatest(min(day), :first) AS since,
           coalesce(sum(amount_fen) FILTER (WHERE day < :first), 0) AS opening_fen
    FROM ({_POSTED}) posted LEFT JOIN people ON people.id = person_id
    WHERE day <= :last
    GROUP BY account, site_code, person_id, people.name ORDER BY site_code, account, person_id
""")  # noqa: S608  # our own SQL


_TRANSACTIONS = text(f"""
    SELECT journal_id, day, kind, reference, account, site_code, person_id, amount_fen FROM ({_POSTED}) posted
    WHERE day BETWEEN :first AND :last ORDER BY journal_id, line
""")  # noqa: S608  # our own SQL


_MONTH_ENDS = text(f"""
    WITH moved AS (
        SELECT account, site_code, person_id,
               greatest(CAST(date_trunc('month', CAST(day AS timestamp)) AS date), :first) AS month,
               sum(amount_fen) AS fen
        FROM ({_POSTED}) posted WHERE day <= :last GROUP BY 1, 2, 3, 4
    )
    SELECT CAST(m.month + interval '1 month' AS date) AS next_day,
           account, site_code, person_id, sum(fen) AS fen
    FROM (SELECT DISTINCT month FROM moved) m JOIN moved ON moved.month <= m.month
    GROUP BY m.month, account, site_code, person_id ORDER BY m.month, site_code, account, person_id
""")  # noqa: S608  # our own SQL


_STREAMED = {"yield_per": 1000}


def export_of(session: Session, actor: Actor, dialect: Dialect, *, month: str | None) -> Iterator[str]:
    """The ledger of the person's sites in a dialect, whole or one month of it, piece by piece.

    Accounts, what every account holds at the end of each month, then one transaction for each journal: so a file
    that was cut short is refused by whoever checks it. Rows come from the database a thousand at a time. The
    session's transaction must see one moment of the books.
    """
    keys = {
        "sites": None if actor.site_ids is None else list(actor.site_ids),
        "first": first_day(month) if month else date.min,
        "last": last_day(month) if month else date.max,
    }
    yield dialect.HEAD
    found = session.execute(_ACCOUNTS, keys).all()
    for row in found:
        title = CHART[Account(row.account)].chinese + (f" {row.name}" if row.name else "")
        yield dialect.opened(row.since, _account_name(row), title)
    opening = [(_account_name(row), int(row.opening_fen)) for row in found if row.opening_fen]
    if opening:
        yield dialect.transaction(first_day(str(month)), "opening", f"balances before {month}", opening)
    for row in session.execute(_MONTH_ENDS, keys, execution_options=_STREAMED):
        yield dialect.balance(row.next_day, _account_name(row), int(row.fen))
    for _, lines in groupby(session.execute(_TRANSACTIONS, keys, execution_options=_STREAMED), _journal_id):
        journal = list(lines)
        yield dialect.transaction(
            journal[0].day,
            journal[0].kind,
            journal[0].reference,
            [(_account_name(line), line.amount_fen) for line in journal],
        )


def _journal_id(line: Row[Any]) -> UUID:
    journal_id: UUID = line.journal_id
    return journal_id


def _account_name(row: Row[Any]) -> str:
    return account_name(Account(row.account), row.site_code, row.person_id)
