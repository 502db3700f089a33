"""What operators see of workers and ticks: a worker says every few seconds that it is there, a sweep when it acted.

In the database, by its own time, because that is what a worker cannot do without. What these rows say is not worth
waiting for the disk.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db import Database

GONE_SECONDS = 20
"""A worker that has not been seen for so long does not run."""
STUCK_SECONDS = 10
"""One that made no progress for so long, although something waits, is about to be killed by whoever supervises it."""

_LAZILY = text("SET LOCAL synchronous_commit = off")

_SAY = text("""
    INSERT INTO workers (name, started_at, seen_at, deliveries, idle_seconds)
    VALUES (:name, clock_timestamp(), clock_timestamp(), :deliveries, :idle)
    ON CONFLICT (name) DO UPDATE SET
        seen_at = excluded.seen_at, deliveries = excluded.deliveries, idle_seconds = excluded.idle_seconds
""")
_FORGET = text("DELETE FROM workers WHERE seen_at < clock_timestamp() - interval '1 hour'")

_NOTE = text("""
    INSERT INTO tick_runs (kind, ran_at, acted) VALUES (:kind, clock_timestamp(), :acted)
    ON CONFLICT (kind) DO UPDATE SET ran_at = excluded.ran_at, acted = tick_runs.acted + excluded.acted
""")

_WORKERS = text("""
    SELECT name, started_at, seen_at, deliveries, idle_seconds,
           extract(epoch FROM clock_timestamp() - seen_at)::float8 AS unseen
    FROM workers ORDER BY seen_at DESC LIMIT 100
""")


@dataclass(frozen=True)
class WorkerView:
    """One worker process: `state` is running, stuck (no progress although something waits) or gone."""

    name: str
    state: str
    started_at: datetime
    seen_at: datetime
    unseen_seconds: float
    deliveries: int


@cache
def own_name() -> str:
    """What this process is called: its machine and its number there, which with its start are its own."""
    return f"{socket.gethostname()}:{os.getpid()}"


def say(database: Database, *, deliveries: int, idle_seconds: int) -> None:
    """Say that this worker is there, how many deliveries ended in it, and for how long it has made no progress."""
    with database.session() as session:
        session.execute(_LAZILY)
        session.execute(_SAY, {"name": own_name(), "deliveries": deliveries, "idle": idle_seconds})
        session.execute(_FORGET)


def leave(database: Database) -> None:
    """Say that this worker ends, as it was told to."""
    with database.session() as session:
        session.execute(text("DELETE FROM workers WHERE name = :name"), {"name": own_name()})


def note_tick(database: Database, kind: str, acted: int) -> None:
    """The sweep of this deadline acted on so many rows just now."""
    with database.session() as session:
        session.execute(_LAZILY)
        session.execute(_NOTE, {"kind": kind, "acted": acted})


def workers(session: Session) -> list[WorkerView]:
    """The workers of the service of the last hour, whoever was seen last first."""
    return [
        WorkerView(
            row.name, state(row.unseen, row.idle_seconds), row.started_at, row.seen_at, row.unseen, row.deliveries
        )
        for row in session.execute(_WORKERS)
    ]


def state(unseen_seconds: float, idle_seconds: int) -> str:
    """What is to be thought of a worker seen so long ago that had then made no progress for so long."""
    if unseen_seconds > GONE_SECONDS:
        return "gone"
    return "stuck" if idle_seconds > STUCK_SECONDS else "running"


def tick_runs(session: Session) -> dict[str, datetime]:
    """Kind of deadline -> when its sweep last acted."""
    return {row.kind: row.ran_at for row in session.execute(text("SELECT kind, ran_at FROM tick_runs"))}
