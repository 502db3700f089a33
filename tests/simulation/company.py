"""A small company: founded once through the real routes, and copied for every seed."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from unittest.mock import patch
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy.engine import URL, make_url

from bianmin.month.cast import ZONE, Cast, found_company
from shared import db
from shared.installation import prepare
from shared.settings import settings
from tests.conftest import START
from tests.simulation.broker import Broker
from tests.simulation.chance import drawn_from
from tests.simulation.house import House, InHouse

SECRET = "the-founder-of-the-simulation"
FOUNDED, LIVED = "simulation_founded", "simulation"

_SIMULATED_BUS = """
    CREATE FUNCTION installation.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        $$ SELECT simulated_at FROM installation.clock $$;
    DO $$
    DECLARE
        found record;
    BEGIN
        FOR found IN SELECT c.oid::regclass AS of_table, a.attname, pg_get_expr(d.adbin, d.adrelid) AS was
                     FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
                     JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                     WHERE pg_get_expr(d.adbin, d.adrelid) = 'clock_timestamp()' LOOP
            EXECUTE format('ALTER TABLE %s ALTER %I SET DEFAULT installation.clock_timestamp()',
                           found.of_table, found.attname);
        END LOOP;
    END
    $$;
"""
"""The bus keeps simulated time too."""


class FoundingWorld:
    """What founding a company needs of a world: a client whose acts have all their effects at once."""

    def __init__(self, house: House) -> None:
        self.client = InHouse(house, settling=True)
        self.watcher = None
        self._house = house

    def settle(self) -> None:
        """Everything that follows has happened."""
        self._house.settle()


@dataclass
class Company:
    """The people, and where the company lives."""

    cast: Cast
    broker_url: str
    url: str
    """Of the database in which each seed lives."""
    owner: str
    """How psycopg reaches the server."""
    begin: str = ""
    """SQL for each new copy; the mutants take a guard of the database away by it."""

    def copy(self) -> str:
        """Copy the founded company anew; returns how psycopg connects to the copy."""
        with psycopg.connect(self.owner, autocommit=True) as owner:
            owner.execute(f"DROP DATABASE IF EXISTS {LIVED} WITH (FORCE)")
            owner.execute(f"CREATE DATABASE {LIVED} TEMPLATE {FOUNDED} STRATEGY file_copy")
        if self.begin:
            with psycopg.connect(_conninfo(self.url), autocommit=True) as owner:
                owner.execute(self.begin)
        return _conninfo(self.url)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside, `shared.db.database()` means the copy."""
        with _in_use(self.url, self.broker_url):
            yield


def found(database_url: str, broker_url: str) -> Company:
    """Found the company in a database of its own on that server; slow, so once for all seeds of a process."""
    server = make_url(database_url).set(database="postgres")
    owner = _conninfo(_text(server))
    with psycopg.connect(owner, autocommit=True) as connection:
        for name in (FOUNDED, LIVED):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {FOUNDED}")
    founded = _text(server.set(database=FOUNDED))
    logging.disable(logging.CRITICAL)
    try:
        with _in_use(founded, broker_url):
            cast = _found(founded)
    finally:
        logging.disable(logging.NOTSET)
    return Company(cast, broker_url, _text(server.set(database=LIVED)), owner)


def _found(url: str) -> Cast:
    prepare(url, simulated_at=START.isoformat())
    with psycopg.connect(_conninfo(url), autocommit=True) as owner:
        owner.execute(_SIMULATED_BUS)
    random = Random("the company")
    house = House(Broker(random), _conninfo(url))
    with house.open(), drawn_from(random, lambda: house.now):
        today = START.astimezone(ZoneInfo(ZONE)).date()
        return found_company(FoundingWorld(house), SECRET, ["BK"], today=today)  # type: ignore[arg-type]  # stands in


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _conninfo(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


@contextmanager
def _in_use(url: str, broker_url: str) -> Iterator[None]:
    ours = {"BIANMIN_DATABASE_URL": url, "BIANMIN_BROKER_URL": broker_url, "BIANMIN_FOUNDER_SECRET": SECRET}
    with patch.dict(os.environ, ours):
        settings.cache_clear()
        db.close_databases()
        try:
            yield
        finally:
            settings.cache_clear()
            db.close_databases()
