"""Whatever is asked of the audit log is found by an index, however long the log is.

BIANMIN_CASES=1000000 pytest tests/shared/test_audit_lists.py   # a million entries
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from shared.audit_routes import Wanted, entries
from shared.ids import new_id
from shared.people import Actor
from tests.cases import cases
from tests.shared.test_schema import nodes

ENTRIES = max(cases(100_000), 100_000)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
RARE = UUID(int=7)
"""Somebody who made one change in a thousand, the last ones of a year of others'."""

FILL = text("""
    INSERT INTO audit_log (at, recorded_at, actor_id, cause, login, table_name, row_key, operation)
    SELECT :first + n * interval '1 minute', now(), CASE WHEN n > :rare THEN :person WHEN n % 3 = 0 THEN NULL
                ELSE CAST(lpad(to_hex(n % 50 + 100), 32, '0') AS uuid) END,
           CASE WHEN n > :rare THEN 'POST /rare' ELSE 'message M' || n % 40 END, 'bianmin_hr',
           CASE WHEN n > :rare THEN 'company' ELSE 't' || n % 30 END, 'row ' || n / 5, 'update'
    FROM generate_series(1, :entries) n
""")


@pytest.fixture
def log(owner_of: Callable[[str], Connection]) -> Iterator[Session]:
    """A log of its own with the indexes of hr's; it is gone with the transaction."""
    owner = owner_of("hr")
    owner.execute(text("CREATE SCHEMA filled; CREATE TABLE filled.audit_log (LIKE hr.audit_log INCLUDING ALL)"))
    owner.execute(text("SET LOCAL search_path = filled, hr, installation"))
    rare = ENTRIES - ENTRIES // 1000
    owner.execute(FILL, {"first": FIRST, "entries": ENTRIES, "rare": rare, "person": RARE})
    owner.execute(text("ANALYZE audit_log"))
    with Session(owner, join_transaction_mode="create_savepoint") as session:
        yield session


BY_INDEX = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}

LAST_DAY = FIRST + timedelta(minutes=ENTRIES - 50)

ASKED: list[dict[str, Any]] = [
    {},
    {"actor_id": RARE},
    {"actor_id": UUID(int=100)},
    {"table": "company"},
    {"table": "t3"},
    {"table": "t3", "row": f"row {ENTRIES // 10}"},
    {"row": f"row {ENTRIES // 10}"},
    {"cause": "POST /rare"},
    {"cause": "message M7"},
    {"since": LAST_DAY},
    {"until": FIRST + timedelta(days=1)},
    {"actor_id": UUID(int=100), "since": LAST_DAY},
    {"cause": "message M7", "since": LAST_DAY - timedelta(days=1), "until": LAST_DAY},
]


@pytest.mark.parametrize("after", [0, ENTRIES // 2], ids=["first page", "later page"])
def test_a_page_reads_little_more_than_what_it_shows_whatever_is_asked(log: Session, after: int) -> None:
    auditor = Actor(new_id(), "", "auditor", "administration", None)
    statements: list[tuple[str, Any]] = []
    event.listen(log.connection(), "before_cursor_execute", lambda *said: statements.append((said[2], said[3])))
    for asked in ASKED:
        statements.clear()
        found = entries(log, auditor, Wanted(**asked), after=after, limit=100)
        assert [one.id for one in found] == sorted(one.id for one in found)
        ((statement, parameters),) = statements
        explained = log.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        (plan,) = explained.scalar_one()
        scans = [one for one in nodes(plan["Plan"]) if one.get("Relation Name") == "audit_log"]
        assert {one["Node Type"] for one in scans} <= BY_INDEX, (asked, plan)
        read = sum(one["Actual Rows"] + one.get("Rows Removed by Filter", 0) for one in scans)
        assert read <= 110, (asked, plan)
