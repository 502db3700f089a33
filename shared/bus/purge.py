"""What the bus remembers, and for how long: longer than anything can come back.

A message or an Idempotency-Key that returns after a year is still recognised. Nothing that is open is ever deleted.
"""

import structlog
from sqlalchemy import text

from shared.db import Database

log = structlog.get_logger()

KEPT_DAYS = 400

_OLD = {
    "inbox": "message_id < :floor AND received_at < :before AND state IN ('handled', 'discarded') AND NOT ack_due"
    " ORDER BY message_id",
    "outbox": "message_id < :floor AND acknowledged_at < :before ORDER BY message_id",
    "idempotency_keys": "created_at < :before",
}
"""Table -> its rows to delete. Message ids begin with the moment they were made, so the primary key finds them."""

# by their place, which no other way of joining beats; a row that somebody changes meanwhile moves, and stays
_DELETE = "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {old} LIMIT :batch))"

BATCH = 1000

_BEFORE = text("SELECT clock_timestamp() - make_interval(days => :days)")


def purge(database: Database) -> dict[str, int]:
    """Delete what was over more than 400 days ago, by the database's own time; returns how many rows of each table."""
    with database.session() as session:
        before = session.execute(_BEFORE, {"days": KEPT_DAYS}).scalar_one()
    milliseconds = int(before.timestamp() * 1000)
    limits = {"before": before, "batch": BATCH, "floor": f"{milliseconds:012x}{0:020x}"}
    deleted = {}
    for table, old in _OLD.items():
        deleted[table] = 0
        while True:
            with database.session() as session:
                statement = text(_DELETE.format(table=table, old=old))
                count = session.execute(statement, limits).rowcount  # type: ignore[attr-defined]  # a DELETE's result has it
            deleted[table] += count
            if count < BATCH:
                break
    if any(deleted.values()):
        log.info("purged", **deleted)
    return deleted
