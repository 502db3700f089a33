"""One PostgreSQL, one schema and one login for each service.

A service logs in as itself with its schema first on the search path, so the same unqualified table name (`outbox`,
`people`) means the service's own table. Its login owns nothing and is member of nothing, so nothing else can be
reached, whatever is said on the connection. Which rows of its own tables it reaches, walls.py says.

How long a statement may take is decided here: 30 s for a person who waits for a page, 8 s for a worker, which has
other messages to handle and whose message is tried again. The inbox's lease on a message (30 s) is longer than that.
A server that is gone is noticed within about ten seconds.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from threading import Lock
from time import monotonic
from typing import Any

import psycopg
from pydantic import BaseModel
from sqlalchemy import URL, BigInteger, DateTime, Engine, MetaData, create_engine, event, inspect, make_url
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from shared import tracing
from shared.settings import settings

SERVICES = ("intake", "dispatch", "finance", "hr")

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


TYPES: dict[Any, Any] = {
    datetime: DateTime(timezone=True),
    int: BigInteger,
    Enum: SqlEnum(Enum, native_enum=False, length=32, values_callable=lambda members: [m.value for m in members]),
    dict: JSONB,
    list: JSONB,
}
"""Python type -> column type of every service: time with a zone, whole numbers as bigint, enums as text."""


SITES = "sites"
"""Under this name a session's `info` holds which sites its transaction acts for, as `app.sites` says it (walls.py)."""
EVERY_SITE = "*"

REST_SECONDS = 1.0
"""A connection unused for longer is asked whether it lives before it is used."""


def service_metadata() -> MetaData:
    """A MetaData with the constraint names of this project."""
    return MetaData(naming_convention=NAMING)


def role_of(service: str) -> str:
    """The PostgreSQL role that owns nothing and may use only the schema of `service`."""
    return f"bianmin_{service}"


def login(url: str, role: str, password: str = "") -> URL:
    """`url` as that role: as it stands where it names the role, else with its user replaced and this password.

    So one process for all services, and the owner's tools, need one URL; a process of one service is given its own.
    """
    asked = make_url(url)
    if asked.username == role:
        return asked
    return URL.create(asked.drivername, role, password or None, asked.host, asked.port, asked.database, asked.query)


def own_login(service: str) -> URL:
    """How a process of a service logs in, as the settings say."""
    return login(settings().database_url, role_of(service), settings().database_password(service))


@dataclass(frozen=True)
class Limits:
    """How many seconds a statement may take, and wait for a lock; and whether it may touch what is of any site.

    Without that it may when the person asking is known, who has his sites (walls.py).
    """

    statement_seconds: int
    lock_seconds: int
    every_site: bool


WEB = Limits(statement_seconds=30, lock_seconds=10, every_site=False)
WORKER = Limits(statement_seconds=8, lock_seconds=4, every_site=True)

GONE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How soon one that is gone without a word is noticed over TCP (seconds; the last in milliseconds).

libpq notices the server by it, and the server us: what a machine without power had locked is free again.
"""

_SERVER_GONE = " ".join(
    f"-c tcp_{name.removeprefix('tcp_')}={value}" for name, value in GONE.items() if name != "connect_timeout"
)


def held_by(
    table: type[DeclarativeBase], facts: BaseModel, *, exclude: AbstractSet[str] = frozenset()
) -> dict[str, Any]:
    """What a table has columns for, of a message or a part of one: a newer sender may say more than it holds."""
    return facts.model_dump(include=set(inspect(table).column_attrs.keys()) - exclude)


class Database:
    """The connections of one service in this process."""

    def __init__(self, service: str, url: str, *, pool_size: int, limits: Limits = WEB, password: str = "") -> None:
        self.service = service
        self.limits = limits
        self._arguments: dict[str, Any] = {"options": self.options(), "application_name": f"bianmin-{service}"} | GONE
        self.engine: Engine = create_engine(
            login(url, role_of(service), password),
            pool_size=pool_size,
            max_overflow=0,
            pool_recycle=1800,
            hide_parameters=True,  # a statement's values may be personal and must not reach a log
            connect_args=self._arguments,
        )

        event.listen(self.engine, "checkin", _note_rest)
        event.listen(self.engine, "checkout", self._ping_after_rest)
        tracing.watch(self.engine, service)

    def _ping_after_rest(self, connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        """Whether a connection that rested still lives; one used a moment ago is not asked, which is a round trip less.

        One that dies in that moment fails the request or message under way, which is repeated, as if it died in it.
        """
        if monotonic() - record.info.get("rests_since", monotonic()) > REST_SECONDS:
            try:
                alive = self.engine.dialect.do_ping(connection)
            except psycopg.Error:
                alive = False
            if not alive:
                raise InvalidatePoolError

    def options(self) -> str:
        """Start-up options of a connection: search path, sites, and limits that end a stuck statement."""
        sites = f" -c app.sites={EVERY_SITE}" if self.limits.every_site else ""
        return (
            f"-c search_path={self.service},installation{sites}"
            f" -c statement_timeout={self.limits.statement_seconds}s -c lock_timeout={self.limits.lock_seconds}s"
            f" -c idle_in_transaction_session_timeout=60s {_SERVER_GONE}"
        )

    async def line(self) -> psycopg.AsyncConnection:
        """A new connection outside the pool, of the running loop, that commits each statement: to listen on."""
        _, where = self.engine.dialect.create_connect_args(self.engine.url)
        return await psycopg.AsyncConnection.connect(**{**where, **self._arguments}, autocommit=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed when the block ends well, rolled back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.info["service"] = self.service
            if self.limits.every_site:
                session.info[SITES] = EVERY_SITE
            yield session


def _note_rest(_: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = monotonic()


_databases: dict[tuple[str, Limits], Database] = {}
_making = Lock()


def database(service: str, limits: Limits = WEB) -> Database:
    """The connections of this process for `service`, made once, by the settings at its first use."""
    with _making:
        made = _databases.get((service, limits))
        if made is None:
            made = _databases[service, limits] = Database(
                service,
                settings().database_url,
                pool_size=settings().web_pool,
                limits=limits,
                password=settings().database_password(service),
            )
        return made


def close_databases() -> None:
    """Close the connections of this process that nobody uses; whoever asks next gets new ones, by the settings then."""
    with _making:
        for made in _databases.values():
            made.engine.dispose()
        _databases.clear()
