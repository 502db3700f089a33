"""A run of the verifier: one snapshot, every invariant, and the record of it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import scalar_row

from bianmin.verify import INVARIANTS
from bianmin.verify.audit_logs import SEE_ENDS
from bianmin.verify.invariant import Invariant, Violations, look

ROLE = "bianmin_verifier"
LOCK = 20240416
"""The advisory lock of nightly runs: whoever does not get it leaves the run to who has it."""

DUE = """
    SELECT NOT EXISTS (SELECT FROM installation.verifications WHERE at >= due.at)
    FROM (SELECT installation.clock_now() AT TIME ZONE 'Asia/Shanghai' - interval '3 hours' AS now) shifted
    CROSS JOIN LATERAL (
        SELECT (date_trunc('day', shifted.now) + interval '3 hours') AT TIME ZONE 'Asia/Shanghai' AS at
    ) due
"""
"""Whether nothing was verified since the last 03:00 of the company's time, by the clock of the installation."""


@dataclass(frozen=True)
class Report:
    """What a run saw: the moment (UTC, business time), how long it took, how many invariants, and those violated."""

    at: datetime
    seconds: float
    looked: int
    violated: list[Violations]

    @property
    def exit_code(self) -> int:
        """0 when all hold, else the code of the first that does not."""
        return min((one.invariant.code for one in self.violated), default=0)


@contextmanager
def connected(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection as the verifier, for every site; `database_url` as SQLAlchemy or PostgreSQL writes it.

    When the URL is another user's, the password is that of BIANMIN_VERIFIER_DATABASE_PASSWORD, or in the file of that
    name in /run/secrets. To another machine it goes by TLS, to a server that proves who it is, or else
    BIANMIN_ALLOW_PLAINTEXT is true.
    """
    where = conninfo_to_dict(database_url.replace("postgresql+psycopg:", "postgresql:", 1))
    if where.get("user") != ROLE:
        where |= {"user": ROLE, "password": _password()}
    if not _stays_here(where.get("host", "")) and os.environ.get("BIANMIN_ALLOW_PLAINTEXT", "").lower() != "true":
        where["sslmode"] = "verify-full"  # whatever the URL says
    where["options"] = "-c app.sites=* -c search_path=pg_catalog -c work_mem=64MB -c lock_timeout=10s"
    where["application_name"] = "bianmin-verify"
    with psycopg.connect(make_conninfo("", **where), autocommit=True) as connection:
        yield connection


def _password() -> str | None:
    secret = Path("/run/secrets/bianmin_verifier_database_password")
    said = os.environ.get("BIANMIN_VERIFIER_DATABASE_PASSWORD")
    return said or (secret.read_text().strip() if secret.exists() else None)


def _stays_here(host: object) -> bool:
    return str(host).startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"}


def verify(connection: psycopg.Connection, *, settled: bool = False, of: Sequence[Invariant] = INVARIANTS) -> Report:
    """Look at the invariants in the connection's transaction; with `settled` also at those of a state of rest."""
    began = monotonic()
    at = _answer(connection, "SELECT installation.clock_now()")
    chosen = [invariant for invariant in of if settled or not invariant.settled]
    violated = [found for found in (look(connection, invariant) for invariant in chosen) if found]
    return Report(at, monotonic() - began, len(chosen), violated)


def run(connection: psycopg.Connection, *, settled: bool = False) -> Report:
    """Verify one snapshot of the whole installation, read only, and record what was seen of the lasting invariants."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        report = verify(connection, settled=settled)
    _record(connection, report)
    return report


def _record(connection: psycopg.Connection, report: Report) -> None:
    counts = {one.invariant.name: one.count for one in report.violated}
    with connection.cursor() as cursor, connection.transaction():
        cursor.executemany(
            "INSERT INTO installation.verifications (at, seconds, invariant, violations) VALUES (%s, %s, %s, %s)",
            [
                (report.at, report.seconds, invariant.name, counts.get(invariant.name, 0))
                for invariant in INVARIANTS
                if not invariant.settled
            ],
        )
        if not report.violated:
            cursor.execute(SEE_ENDS)


def run_if_due(connection: psycopg.Connection) -> Report | None:
    """The nightly run, once after each 03:00 whoever asks for it; None when it is not due or another does it."""
    if not _answer(connection, f"SELECT pg_try_advisory_lock({LOCK})"):
        return None
    try:
        return run(connection) if _answer(connection, DUE) else None
    finally:
        connection.execute(f"SELECT pg_advisory_unlock({LOCK})")


def _answer(connection: psycopg.Connection, question: LiteralString) -> Any:
    """The one value of a SELECT that has exactly one row."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(question).fetchone()
