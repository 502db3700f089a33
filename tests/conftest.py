"""Every test stands on the real engines: an embedded PostgreSQL and Valkey, started once for the run."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from bianmin.engines import Engines
from shared import db
from shared.db import Database
from shared.installation import prepare
from shared.settings import settings

START = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
"""Midnight of 1 April 2026 in Shanghai: where the clock of every test installation stands at first."""


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The engines of this run, in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="bm-"))
    folder.chmod(0o755)
    engines = Engines(folder, durable=False)
    engines.start()
    yield engines
    engines.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(engines: Engines) -> str:
    """A migrated, empty, simulated installation: the URL of a database that others are copied from."""
    prepare(engines.database_url, simulated_at=START.isoformat())
    os.environ["BIANMIN_DATABASE_URL"] = engines.database_url
    os.environ["BIANMIN_BROKER_URL"] = engines.broker_url
    os.environ["BIANMIN_FOUNDER_SECRET"] = "the-founder-of-the-tests"
    return engines.database_url


@pytest.fixture
def session_of(template: str) -> Iterator[Callable[[str], Session]]:
    """A session of a service whose changes are undone after the test; commits inside are savepoints."""
    with ExitStack() as stack:

        def open_session(service: str) -> Session:
            database = Database(service, template, pool_size=2)
            stack.callback(database.engine.dispose)
            connection = stack.enter_context(database.engine.connect())
            transaction = connection.begin()
            stack.callback(transaction.rollback)
            session = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
            session.info["service"] = service
            stack.callback(session.close)
            return session

        yield open_session


@pytest.fixture
def installation(template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of this test alone, where everything really commits; `shared.db.database()` means it."""
    name = f"test_{os.urandom(6).hex()}"
    owner = create_engine(make_url(template).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE bianmin STRATEGY file_copy"))
    url = make_url(template).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("BIANMIN_DATABASE_URL", url)
    settings.cache_clear()
    db.database.cache_clear()
    yield url
    for service in db.SERVICES:
        db.database(service).engine.dispose()
    db.database.cache_clear()
    settings.cache_clear()
    with owner.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    owner.dispose()
