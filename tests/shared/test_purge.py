"""What the bus remembers: 400 days, and what is open for ever."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, TextClause, event, text

from shared.bus.outbox import publish, take_due
from shared.bus.purge import BATCH, KEPT_DAYS, purge
from shared.db import WORKER, Database, database
from shared.ids import new_id
from shared.messages import StatisticsAgreed
from tests.signed import receive

TABLES = ("inbox", "outbox", "idempotency_keys")

# rows of every age have ids of that age, as messages have
_INBOX = text("""
    INSERT INTO inbox (message_id, sender, type, state, traceparent, received_at, ack_due)
    SELECT uuidv7(CAST(:age AS interval)), 'intake', 'StatisticsAgreed', :state, '',
           clock_timestamp() + CAST(:age AS interval), :ack_due
    FROM generate_series(1, :rows)
""")
_OUTBOX = text("""
    INSERT INTO outbox (message_id, receiver, type, body, traceparent, acknowledged_at)
    SELECT uuidv7(CAST(:age AS interval)), 'hr', 'PayoutApproved', '{}', '',
           clock_timestamp() + CAST(:acknowledged AS interval)
    FROM generate_series(1, :rows)
""")
_KEYS = text("""
    INSERT INTO idempotency_keys (person_id, key, fingerprint, created_at)
    SELECT uuidv7(), n, '', clock_timestamp() + CAST(:age AS interval) FROM generate_series(1, :rows) AS n
""")

Fill = Callable[[Database], None]


def received(days: int, *, state: str = "handled", ack_due: bool = False, rows: int = 1) -> Fill:
    return lambda service: _insert(service, _INBOX, days=days, state=state, ack_due=ack_due, rows=rows)


def sent(days: int, *, acknowledged: int | None, rows: int = 1) -> Fill:
    """`acknowledged` so many days ago; None: still open."""
    closed = None if acknowledged is None else f"-{acknowledged} days"
    return lambda service: _insert(service, _OUTBOX, days=days, acknowledged=closed, rows=rows)


def keyed(days: int, *, rows: int = 1) -> Fill:
    return lambda service: _insert(service, _KEYS, days=days, rows=rows)


def _insert(service: Database, statement: TextClause, *, days: int, **facts: Any) -> None:
    with service.session() as session:
        session.execute(statement, {"age": f"-{days} days", **facts})


def rows_of(service: Database) -> dict[str, int]:
    with service.session() as session:
        return {table: int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()) for table in TABLES}


@pytest.fixture
def finance(installation: str) -> Database:
    return database("finance", WORKER)


@pytest.mark.parametrize(
    "old",
    [received(401), received(401, state="discarded"), sent(402, acknowledged=401), keyed(401)],
    ids=["handled", "discarded", "acknowledged", "key"],
)
def test_what_was_over_more_than_400_days_ago_is_forgotten(finance: Database, old: Fill) -> None:
    old(finance)
    assert sum(purge(finance).values()) == 1
    assert sum(rows_of(finance).values()) == 0
    assert sum(purge(finance).values()) == 0


@pytest.mark.parametrize(
    "kept",
    [
        received(399),
        received(4000, ack_due=True),
        received(4000, state="waiting"),
        received(4000, state="parked"),
        sent(4000, acknowledged=None),
        sent(4000, acknowledged=399),
        sent(399, acknowledged=398),
        keyed(399),
    ],
    ids=["handled", "not acknowledged", "waiting", "parked", "open", "acknowledged late", "acknowledged", "key"],
)
def test_what_is_open_however_old_or_was_over_later_is_kept(finance: Database, kept: Fill) -> None:
    kept(finance)
    assert sum(purge(finance).values()) == 0
    assert sum(rows_of(finance).values()) == 1


def test_a_message_that_comes_again_after_399_days_is_recognised(finance: Database) -> None:
    said = StatisticsAgreed(
        site_id=new_id(), month="2026-04", agreed_at=datetime.fromisoformat("2026-04-01T10:00+08:00")
    )
    with database("intake", WORKER).session() as session:
        publish(session, said)
    with database("intake", WORKER).session() as session:
        (envelope,) = take_due(session)
    handlers = {"StatisticsAgreed": lambda session, message, *, now: None}
    assert receive(finance, handlers, asdict(envelope)) == "handled"
    with finance.session() as session:  # as if it had been said and handled then
        session.execute(
            text("""UPDATE inbox SET message_id = uuidv7(interval '-399 days'), ack_due = false,
                    received_at = received_at - interval '399 days', handled_at = handled_at - interval '399 days'""")
        )
        id_ = str(session.execute(text("SELECT message_id FROM inbox")).scalar_one())
    purge(finance)
    assert receive(finance, handlers, asdict(envelope) | {"id": id_, "sends": 600}) == "again"


def test_more_than_a_batch_is_forgotten_in_one_purge(finance: Database) -> None:
    for old in (received(500, rows=2 * BATCH + 1), sent(500, acknowledged=499, rows=BATCH), keyed(500, rows=BATCH + 1)):
        old(finance)
    received(KEPT_DAYS - 1, rows=7)(finance)
    assert purge(finance) == {"inbox": 2 * BATCH + 1, "outbox": BATCH, "idempotency_keys": BATCH + 1}
    assert rows_of(finance) == {"inbox": 7, "outbox": 0, "idempotency_keys": 0}


@pytest.mark.parametrize("old_rows", [0, 3000], ids=["nothing old", "some old"])
def test_a_purge_finds_what_is_old_by_index_among_many_rows(
    finance: Database, committing: Engine, old_rows: int
) -> None:
    for days, rows in ((450, old_rows), (200, 30000), (1, 30000)):
        for fill in (received(days, rows=rows), sent(days, acknowledged=days, rows=rows), keyed(days, rows=rows)):
            fill(finance)
    with committing.begin() as owner:
        for table in TABLES:
            owner.execute(text(f"ANALYZE finance.{table}"))
    deletes: dict[str, tuple[str, Any]] = {}

    @event.listens_for(finance.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement: str, parameters: Any, _context, _many) -> None:
        if statement.startswith("DELETE FROM"):
            deletes.setdefault(statement.split()[2], (statement, parameters))

    assert sum(purge(finance).values()) == 3 * old_rows
    event.remove(finance.engine, "before_cursor_execute", note)
    assert set(deletes) == set(TABLES)
    with finance.engine.connect() as connection:  # planned by what the tables held before
        for table, (statement, parameters) in deletes.items():
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
            assert f"Seq Scan on {table}" not in plan, plan
