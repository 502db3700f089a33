"""Every test stands on the real engines: an embedded PostgreSQL and Valkey, started once for the run."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from bianmin.engines import Engines
from bianmin.keys import make_missing
from shared import db
from shared.db import EVERY_SITE, SITES, WORKER, Database
from shared.installation import prepare
from shared.log import configure_logging
from shared.sealing import make_data_keys
from shared.session_keys import make_session_keys
from shared.settings import settings
from tests.folders import reachable_folder

START = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
"""Midnight of 1 April 2026 in Shanghai: where the clock of every test installation stands at first."""


hypothesis.settings.register_profile(  # a busy machine is no failure: not how long an example takes, nor to draw it
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs no engine is `pure`: the rules alone, in seconds (`make rules`)."""
    for item in items:
        if not {"engines", "lived_month", "house"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("pure")


def give_keys(folder: Path) -> None:
    """Keys for this process and its children: of personal data, of messages and of sessions."""
    make_data_keys(folder / "data-keys")
    make_missing(folder / "keys")
    make_session_keys(folder / "session-keys")
    os.environ["BIANMIN_DATA_KEYS"] = str(folder / "data-keys")
    os.environ["BIANMIN_KEYS"] = str(folder / "keys")
    os.environ["BIANMIN_SESSION_KEYS"] = str(folder / "session-keys")


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The engines of this run, in a folder of their own."""
    with reachable_folder() as folder:
        give_keys(folder)
        engines = Engines(folder, durable=False)
        engines.start()
        yield engines
        engines.stop()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's user reaches too."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """Level and event of what has been logged in this test so far, whoever set logging up before."""
    configure_logging(level="info", fmt="json")
    return lambda: [(one.levelname.lower(), one.msg["event"]) for one in caplog.records if isinstance(one.msg, dict)]


@pytest.fixture(scope="session")
def template(engines: Engines) -> str:
    """A migrated, empty, simulated installation: the URL of the database of tests that commit nothing."""
    prepare(engines.database_url, simulated_at=START.isoformat())
    server = create_engine(
        make_url(engines.database_url).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with server.connect() as connection:  # now, while nobody is connected to what is copied
        connection.execute(text("CREATE DATABASE committing TEMPLATE bianmin STRATEGY file_copy"))
    os.environ["BIANMIN_DATABASE_URL"] = engines.database_url
    os.environ["BIANMIN_BROKER_URL"] = engines.broker_url
    os.environ["BIANMIN_FOUNDER_SECRET"] = "fb5eface91ebdcf221fa69f8267de288dd916c801780d020"
    os.environ["BIANMIN_RATE_ADDRESS"] = "1000000/minute"  # every test comes from the same one
    return engines.database_url


@pytest.fixture(scope="session")
def database_of(template: str) -> Iterator[Callable[[str], Database]]:
    """The connections of each service to the template, kept from test to test."""
    opened: dict[str, Database] = {}

    def open_database(service: str) -> Database:
        if service not in opened:
            opened[service] = Database(service, template, pool_size=4, limits=WORKER)
        return opened[service]

    yield open_database
    for database in opened.values():
        database.engine.dispose()


@pytest.fixture
def session_of(database_of: Callable[[str], Database]) -> Iterator[Callable[[str], Session]]:
    """A session of a service whose changes are undone after the test; commits inside are savepoints."""
    with ExitStack() as stack:

        def open_session(service: str) -> Session:
            connection = stack.enter_context(database_of(service).engine.connect())
            transaction = connection.begin()
            stack.callback(transaction.rollback)
            session = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
            session.info |= {"service": service, SITES: EVERY_SITE}
            stack.callback(session.close)
            return session

        yield open_session


@pytest.fixture
def owner_of(template: str) -> Iterator[Callable[[str], Connection]]:
    """The owner's connection in a service's schema; what it changes is undone."""
    engine = create_engine(template, poolclass=NullPool)
    with ExitStack() as stack:

        def connect(service: str) -> Connection:
            connection = stack.enter_context(engine.connect())
            connection.execute(text(f"SET search_path = {service}, installation"))
            return connection

        yield connect


_EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica;  -- no trigger and no foreign key is in the way
    DO $$
    DECLARE
        found record;
    BEGIN
        FOR found IN SELECT schemaname, tablename FROM pg_tables
                     WHERE schemaname = ANY(ARRAY[{services}]) AND tablename <> 'alembic_version' LOOP
            EXECUTE format('DELETE FROM %I.%I', found.schemaname, found.tablename);
        END LOOP;
        FOR found IN SELECT schemaname, sequencename FROM pg_sequences WHERE schemaname = ANY(ARRAY[{services}]) LOOP
            EXECUTE format('ALTER SEQUENCE %I.%I RESTART', found.schemaname, found.sequencename);
        END LOOP;
    END
    $$;
    UPDATE installation.clock SET simulated_at = to_timestamp({start}), set_at = clock_timestamp(), running = false;
"""


@pytest.fixture(scope="session")
def committing(template: str) -> Engine:
    """The owner's connections to the database in which the tests that really commit follow each other."""
    return create_engine(make_url(template).set(database="committing"), poolclass=NullPool)


@pytest.fixture
def installation(committing: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty installation where everything really commits; `shared.db.database()` means it."""
    services = ", ".join(f"'{service}'" for service in db.SERVICES)
    with committing.begin() as connection:
        connection.execute(text(_EMPTY.format(services=services, start=START.timestamp())))
    url = committing.url.render_as_string(hide_password=False)
    monkeypatch.setenv("BIANMIN_DATABASE_URL", url)
    settings.cache_clear()
    db.close_databases()  # also those of a town that is lived in for longer than one test
    yield url
    db.close_databases()
    settings.cache_clear()
