"""What must hold before a process may work: each refusal is one sentence that says what is and what to do.

A worker ends with exit code 2; a web process, which may start before its database is prepared, answers 503 on /ready
until it holds. What the settings alone tell to be unsafe ends both before they connect to anything. The broker
(shared/broker.py) matters to workers alone. With shared/clock.py this is the only reader of a clock.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.safety import readable_broker, readable_database
from shared.settings import settings

log = structlog.get_logger()

CLOCKS_APART_SECONDS = 2.0
REFUSED = 2
"""Exit code of a process that may not work as things are."""


@cache
def newest_migration(service: str) -> str:
    """The version of the service's schema that this code was written for: its files are numbered."""
    versions = Path(__file__).parent.parent / "services" / service / "migrations" / "versions"
    return max(file.name[:4] for file in versions.glob("[0-9][0-9][0-9][0-9]_*.py"))


def database_fault(session: Session) -> str | None:
    """Why this process may not work with the database, or None."""
    return _behind(session) or _clocks_apart(session)


def _behind(session: Session) -> str | None:
    """A schema older than the code; a newer one is what an upgrade with old processes still running looks like."""
    service: str = session.info["service"]
    held = None
    if session.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is not None:
        held = session.execute(text("SELECT max(version_num) FROM alembic_version")).scalar_one()
    wanted = newest_migration(service)
    if held is not None and held >= wanted:
        return None
    return f"the schema of {service} is at version {held or 'none'} and {wanted} is needed: run `bianmin prepare`"


def _clocks_apart(session: Session) -> str | None:
    before = time.time()  # noqa: TID251  # the host's clock is what is checked
    theirs = session.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8")).scalar_one()
    after = time.time()  # noqa: TID251  # the same clock
    apart = max(before - theirs, theirs - after)
    if apart <= CLOCKS_APART_SECONDS:
        return None
    return f"the clocks of this machine and of the database are {apart:.0f} s apart: let both be set by NTP"


def unsafe() -> str | None:
    """Why nothing may be done with these settings, or None: others could read what is said to the servers."""
    if settings().allow_plaintext:
        return None
    return readable_database(settings().database_url, os.environ) or readable_broker(settings().broker_url)


def check_settings() -> None:
    """End the process with exit code 2 when its settings are unsafe."""
    check(unsafe, unreachable=())


def check(*checks: Callable[[], str | None], unreachable: tuple[type[Exception], ...]) -> None:
    """End the process with exit code 2 when one of `checks` finds a fault; what does not answer yet is waited for."""
    for fault in (_answer(check, unreachable) for check in checks):
        if fault is not None:
            print(fault, file=sys.stderr)  # noqa: T201  # for whoever started it
            raise SystemExit(REFUSED)


def _answer(check: Callable[[], str | None], unreachable: tuple[type[Exception], ...]) -> str | None:
    while True:
        try:
            return check()
        except unreachable as error:
            log.warning("start_delayed", error=type(error).__name__)
            time.sleep(1)
