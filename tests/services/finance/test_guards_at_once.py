"""However many take at once: no account is overdrawn, and of those who close a month one wins [promise 6]."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.finance.actions import calculation, settlement
from services.finance.actions.ledger import post
from services.finance.rules.ledger import JournalKind, cash_counted
from services.finance.tasks import check_cash, close_months
from shared.db import WORKER, Database, database
from shared.errors import RuleBroken
from tests.services.finance.office import MAY_FIRST, MORNING, Office, sweep_all

AT_ONCE = 32
TRIES = 60
KEYS = 150
SEED = 20260401

DRIFT = text("""
    SELECT account, site_id, holder_id, coalesce(b.balance_fen, 0) AS kept, coalesce(h.fen, 0) AS recomputed
    FROM finance.balances b
    FULL JOIN (SELECT account, site_id, coalesce(person_id, site_id) AS holder_id,
                      sum(CASE WHEN account IN ('reserve_fund', 'payroll') THEN -amount_fen ELSE amount_fen END) AS fen
               FROM finance.journal_lines
               WHERE account IN ('cash_in_hand', 'cash_at_finance', 'reserve_fund', 'payroll')
                 AND journal_id NOT IN (SELECT journal_id FROM finance.unsealed_journals)
               GROUP BY 1, 2, 3) h USING (account, site_id, holder_id)
    WHERE b.balance_fen IS DISTINCT FROM h.fen
""")


@pytest.fixture
def crowd(installation: str) -> Iterator[Database]:
    """Finance with a connection for each of the many."""
    crowd = Database("finance", installation, pool_size=AT_ONCE, limits=WORKER)
    yield crowd
    crowd.engine.dispose()


def opened() -> Office:
    """A site whose first day and month have begun, committed."""
    with database("finance", WORKER).session() as session:
        office = Office(session)
        office.begin()
    return office


def at_once(crowd: Database, act: Callable[[Session], object], count: int = AT_ONCE) -> Counter[str]:
    """What came of `act`, done by so many threads in a transaction each: 'done', or the code of its refusal."""

    def one(_: int) -> str:
        try:
            with crowd.session() as session:
                act(session)
        except RuleBroken as broken:
            return broken.code
        except IntegrityError as refused:
            return str(refused.orig.diag.constraint_name)
        return "done"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def test_of_1920_tries_to_take_100_fen_of_10000_exactly_100_are_posted(
    crowd: Database, installation: str, committing: Engine
) -> None:
    office = opened()
    with database("finance", WORKER).session() as session:
        office.session = session
        office.paid(10000)

    def take(thread: int) -> Counter[str]:
        """Sixty tries, with keys that others try too; a deadlock, or any other error, ends the test."""
        keys = Random(SEED + thread)
        came_of_it: Counter[str] = Counter()
        for _ in range(TRIES):
            try:
                with crowd.session() as session:
                    post(
                        session,
                        site_id=office.site_id,
                        kind=JournalKind.HAND_OVER,
                        reference=f"key-{keys.randrange(KEYS)}",
                        lines=cash_counted(100, 100, from_id=office.clerk.person_id, holder_id=None),
                        now=MORNING,
                    )
            except IntegrityError as refused:
                came_of_it[str(refused.orig.diag.constraint_name)] += 1
            else:
                came_of_it["posted"] += 1
        return came_of_it

    with ThreadPoolExecutor(AT_ONCE) as pool:
        total = sum(pool.map(take, range(AT_ONCE)), Counter())
    print(dict(total))  # noqa: T201  # the figures of this run
    assert total["posted"] == 100
    assert set(total) == {"posted", "uq_journals_kind", "ck_balances_not_overdrawn"}
    assert total.total() == AT_ONCE * TRIES
    with committing.connect() as owner:
        held = text("SELECT account, balance_fen FROM finance.balances WHERE account LIKE 'cash%' ORDER BY account")
        assert owner.execute(held).all() == [("cash_at_finance", 10000), ("cash_in_hand", 0)]
        assert owner.execute(DRIFT).all() == []


def test_of_many_who_close_a_month_at_once_one_closes_it(crowd: Database, committing: Engine) -> None:
    opened()
    with database("finance", WORKER).session() as session:
        sweep_all(session, check_cash, now=MAY_FIRST)
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def close(_: int) -> int:
            with crowd.session() as session:
                return close_months(session, now=MAY_FIRST)

        assert sum(pool.map(close, range(AT_ONCE))) == 1
    with committing.connect() as owner:
        months = text("SELECT month, state FROM finance.settlements ORDER BY month")
        assert owner.execute(months).all() == [("2026-04", "closed"), ("2026-05", "open")]


def test_of_many_who_approve_a_month_at_once_one_does_it(crowd: Database, committing: Engine) -> None:
    office = opened()
    with database("finance", WORKER).session() as session:
        office.session = session
        office.paid(10000)
        office.end_month()
        calculation.compute(session, site_id=office.site_id, month="2026-04", actor=office.lead, now=MAY_FIRST)
    month = {"site_id": office.site_id, "month": "2026-04", "now": MAY_FIRST}
    approved = at_once(crowd, lambda session: settlement.approve(session, actor=office.leader, **month))
    assert approved == {"done": 1, "step_not_allowed": AT_ONCE - 1}
    with committing.connect() as owner:
        said = "SELECT count(*) FROM finance.outbox WHERE type = 'PayoutApproved'"
        posted = "SELECT count(*) FROM finance.journals WHERE kind = 'settlement'"
        assert [owner.execute(text(sql)).scalar_one() for sql in (said, posted)] == [1, 1]
        assert owner.execute(DRIFT).all() == []
