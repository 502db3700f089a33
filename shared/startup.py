"""What must hold before a process may work: each refusal is one sentence that says what is and what to do.

A worker ends with exit code 2; a web process, which may start before its database is prepared, answers 503 on /ready
until it holds. What the settings alone tell to be unsafe ends both before they connect to anything. The broker
(shared/broker.py) matters to workers alone. With shared/clock.py this is the only reader of a clock.
"""

import os
import stat
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import structlog
from sqlalchemy import URL, make_url, text
from sqlalchemy.orm import Session

from shared.safety import broker_password, database_password, readable_broker, readable_database, weak_secret
from shared.settings import settings

log = structlog.get_logger()

CLOCKS_APART_SECONDS = 2.0
LOGINS = ("intake", "dispatch", "finance", "hr", "verifier")
"""Who has a password of his own in the database."""
REFUSED = 2
"""Exit code of a process that may not work as things are."""


@cache
def newest_migration(service: str) -> str:
    """The version of the service's schema that this code was written for: its files are numbered."""
    versions = Path(__file__).parent.parent / "services" / service / "migrations" / "versions"
    return max(file.name[:4] for file in versions.glob("[0-9][0-9][0-9][0-9]_*.py"))


def database_fault(session: Session) -> str | None:
    """Why this process may not work with the database, or None."""
    return _behind(session) or _clocks_apart(session) or _weak_and_real(session)


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
    return clocks_apart(clock_skew(session))


def clock_skew(session: Session) -> float:
    """How many seconds this machine's clock is from the database's at least."""
    theirs = text("SELECT extract(epoch FROM clock_timestamp())::float8")
    return skew_to(lambda: float(session.execute(theirs).scalar_one()))


def skew_to(ask: Callable[[], float]) -> float:
    """How many seconds this machine's clock is at least from that of the database, which is asked in between."""
    before = time.time()  # noqa: TID251  # the host's clock is what is checked
    theirs = ask()
    after = time.time()  # noqa: TID251  # the same clock
    return max(0.0, before - theirs, theirs - after)


def clocks_apart(apart: float) -> str | None:
    """Why a clock that many seconds from the database's cannot be trusted, or None."""
    if apart <= CLOCKS_APART_SECONDS:
        return None
    return f"the clocks of this machine and of the database are {apart:.0f} s apart: let both be set by NTP"


def unsafe(login: URL | None = None) -> str | None:
    """Why nothing may be done with these settings, or None: what is said or a key could be read, or a secret guessed.

    `login`: how this process logs in to the database, where that is not by the URL of the settings alone.
    """
    return _readable() or _open_file() or _weak(login or make_url(settings().database_url))


def _readable() -> str | None:
    if settings().allow_plaintext:
        return None
    return readable_database(settings().database_url, os.environ) or readable_broker(settings().broker_url)


def _open_file() -> str | None:
    """A file of keys that every user of this machine may read; that of messages Signatures.missing looks at."""
    sessions = settings().session_keys
    for path in filter(None, (settings().data_keys, sessions and sessions / "private" / "key.json")):
        if path.exists() and path.stat().st_mode & stat.S_IRWXO:
            return f"{path} can be read by everybody on this machine: chmod 600 {path}"
    return None


def _weak(login: URL) -> str | None:
    in_database = database_password(login)
    if settings().allow_weak_secrets or in_database is None:  # an installation of this machine alone needs none
        return None
    known = {
        f"the database password of {login.username}": in_database,
        "the password in BIANMIN_BROKER_URL": broker_password(settings().broker_url),
        "BIANMIN_FOUNDER_SECRET": settings().founder_secret.get_secret_value() or None,  # without it nobody founds
    }
    for other in LOGINS:
        password = settings().database_password(other)
        if password and login.username != f"bianmin_{other}":
            known[f"BIANMIN_{other.upper()}_DATABASE_PASSWORD"] = password
    return weak_secret({name: secret for name, secret in known.items() if secret is not None})


def _weak_and_real(session: Session) -> str | None:
    if not settings().allow_weak_secrets:
        return None
    if session.execute(text("SELECT simulated FROM installation.clock")).scalar_one():
        return None
    return "BIANMIN_ALLOW_WEAK_SECRETS is for simulations, and this installation is a real one: unset it"


def check_settings(login: URL) -> None:
    """End the process with exit code 2 when its settings are unsafe; `login` is how it logs in to the database."""
    check(lambda: unsafe(login), unreachable=())


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
