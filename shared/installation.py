"""What an installation is before any service lives in it: roles, schemas, the clock, the migrations.

Done by `bianmin up` with the owner's connection, again and again without harm. The owner owns every table and logs in
for nothing else; the walls between sites hold for him too, unless he is a superuser.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import cast

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

import shared
from shared import clock, walls
from shared.audit_triggers import NOTE_POLICY, audit
from shared.db import EVERY_SITE, SERVICES, role_of

LOCK_MILLISECONDS = 500
"""How long a migration waits for a table that somebody uses, while everybody else queues behind it.

Less than the second after which PostgreSQL looks for deadlocks: it is the migration that gives way.
"""
PATIENCE_SECONDS = 300.0
"""How long it is tried again."""

VERIFIER = "bianmin_verifier"
"""Who recomputes every invariant from outside: he reads all, and adds what he saw to `verifications`."""

_VERIFICATIONS = """
    CREATE TABLE IF NOT EXISTS installation.verifications (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        seconds real NOT NULL,
        invariant text NOT NULL,
        violations bigint NOT NULL CHECK (violations >= 0)
    );
    COMMENT ON TABLE installation.verifications IS 'append-only';
    CREATE TABLE IF NOT EXISTS installation.audit_anchors (
        service text NOT NULL,
        place bigint NOT NULL,
        hash text NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (service, place)
    );
    COMMENT ON TABLE installation.audit_anchors IS 'append-only';
"""


class WrongInstallation(Exception):
    """The database holds an installation of the other kind: real instead of simulated, or the reverse."""


def prepare(
    url: str,
    *,
    simulated_at: str | None = None,
    services: Sequence[str] = SERVICES,
    passwords: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Create what is missing and migrate every service to the newest version.

    `simulated_at` (RFC 3339) makes a *new* installation a simulation whose clock stands at that moment; a real
    installation never becomes one. `passwords`: role -> what it logs in with from now on; others keep theirs.
    Raises WrongInstallation when the database holds the other kind.
    """
    options = f"-c app.sites={EVERY_SITE} -c lock_timeout={LOCK_MILLISECONDS}"
    owner = create_engine(url, poolclass=NullPool, connect_args={"options": options})
    with _alone(owner):
        with owner.begin() as connection:
            _create_roles(connection, services, passwords)
            _create_clock(connection, simulated_at)
            _create_schemas(connection, services)
            _narrow(connection)
        for service in services:
            _again_while_locked(partial(_migrate, owner, service))
        with owner.begin() as connection:
            _admit_verifier(connection, services)


@contextmanager
def _alone(owner: Engine) -> Iterator[None]:
    """Nobody else prepares this database meanwhile.

    Asked again and again, and held outside of any transaction: an index that is made while the installation is in use
    waits for every transaction that is older, and so for whoever would wait in one.
    """
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(text("SELECT pg_try_advisory_lock(20240415)")).scalar():
            time.sleep(0.1)
        yield


def _again_while_locked(step: Callable[[], None]) -> None:
    """Do it; whenever somebody uses what it needs for itself, let him finish, and everybody who queued behind it."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            step()
            return
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable | DeadlockDetected) or time.monotonic() > give_up:
                raise
            time.sleep(0.5)


def _migrate(owner: Engine, service: str) -> None:
    """To the newest version, with every table audited and granted; what was done before an interruption stays done."""
    with owner.connect() as connection:
        connection.execute(text(f"SET search_path = {service}, installation"))
        connection.commit()
        command.upgrade(_alembic(service, connection), "head")
    with owner.begin() as connection:
        connection.execute(text(f"SET LOCAL search_path = {service}, installation"))
        audit(connection, service)
        _grant(connection, service)


def _create_roles(
    connection: Connection, services: Sequence[str], passwords: Mapping[str, str] = MappingProxyType({})
) -> None:
    """A login for each service and for the verifier, member of nothing: so that SET ROLE gains nothing."""
    for role in [*(role_of(service) for service in services), VERIFIER]:
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar():
            connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"ALTER ROLE {role} LOGIN"))
        if passwords.get(role):
            # made unreadable here, so that no log of the server can hold it
            server = cast("psycopg.Connection", connection.connection.driver_connection).pgconn
            sealed = server.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256").decode()
            connection.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{sealed}'")  # whose colons are no parameters


def _create_clock(connection: Connection, simulated_at: str | None) -> None:
    if not connection.execute(text("SELECT to_regclass('installation.clock')")).scalar():
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS installation"))
        connection.execute(text(clock.SCHEMA))
        connection.execute(
            text("INSERT INTO installation.clock (simulated, simulated_at, set_at) VALUES (:simulated, :at, now())"),
            {"simulated": simulated_at is not None, "at": simulated_at},
        )
    simulated = connection.execute(text("SELECT simulated FROM installation.clock")).scalar()
    if simulated != (simulated_at is not None):
        held, wanted = ("a simulation", "a real one") if simulated else ("a real installation", "a simulation")
        raise WrongInstallation(f"this database holds {held}, and {wanted} was asked for; use another data folder")


def _create_schemas(connection: Connection, services: Sequence[str]) -> None:
    # lets a constraint say "no two of one site overlap"
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA installation"))
    connection.execute(text(walls.FUNCTIONS))
    connection.exec_driver_sql(NOTE_POLICY)
    for service in services:
        role = role_of(service)
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {service}"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {service}, installation TO {role}"))
        connection.execute(text(f"GRANT SELECT ON installation.clock TO {role}"))
        connection.execute(text("REVOKE ALL ON FUNCTION installation.clock_set FROM PUBLIC"))


_NARROW = text("""
    DO $$
    DECLARE
        database record;
    BEGIN
        FOR database IN SELECT datname AS name, datname <> current_database() AS other FROM pg_database
                        WHERE datname IN (current_database(), 'postgres', 'template1')
                          AND pg_has_role(datdba, 'USAGE') LOOP
            EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', database.name);
            IF database.other THEN
                EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', database.name);
            END IF;
        END LOOP;
    END
    $$
""")


def _narrow(connection: Connection) -> None:
    """Take away what PostgreSQL lets everybody do and no service needs, where it is ours to take.

    A temporary table could stand before a service's own one; the server's other databases are none of its business.
    """
    connection.execute(_NARROW)


def _grant(connection: Connection, service: str) -> None:
    """The service's role may use its tables, only add to those that are append-only, only read what triggers write.

    A table is one or the other when its comment says so; a trigger of the migration refuses changes besides.
    """
    role = role_of(service)
    connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {service} TO {role}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {service} TO {role}"))
    marked = connection.execute(
        text("""
            SELECT c.relname, obj_description(c.oid) FROM pg_class c
            WHERE c.relnamespace = CAST(:service AS regnamespace) AND c.relkind = 'r'
              AND obj_description(c.oid) IN ('append-only', 'written by triggers')
        """),
        {"service": service},
    ).all()
    for table, mark in [*marked, ("alembic_version", "written by triggers")]:
        right = "UPDATE, DELETE" if mark == "append-only" else "INSERT, UPDATE, DELETE"
        connection.execute(text(f"REVOKE {right} ON {service}.{table} FROM {role}"))


def _admit_verifier(connection: Connection, services: Sequence[str]) -> None:
    """The verifier may read every table there is now; each service may read what he saw."""
    readers = ", ".join(role_of(service) for service in services)
    schemas = ", ".join([*services, "installation"])
    connection.execute(text(_VERIFICATIONS))
    connection.execute(text(f"GRANT SELECT ON installation.verifications TO {readers}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schemas} TO {VERIFIER}"))
    connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {VERIFIER}"))
    connection.execute(text(f"GRANT INSERT ON installation.verifications, installation.audit_anchors TO {VERIFIER}"))


def _alembic(service: str, connection: Connection) -> Config:
    """Alembic's configuration for one service, without an .ini file."""
    config = Config()
    root = Path(shared.__file__).parent.parent
    config.set_main_option("script_location", str(root / "services" / service / "migrations"))
    config.attributes["connection"] = connection
    return config
