"""The installation that is looked at: what runs, what lies in its folder, and its two servers as far as they answer."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bianmin.address import Address
from bianmin.engines import CannotStart
from bianmin.verify.run import connected
from shared.broker import AWAY, Broker, broker_at


class CannotLook(Exception):
    """There is nothing to look at, or it may not be looked at; the message says why and what to do."""


@dataclass(frozen=True)
class Patient:
    """An installation: its folder, where it runs (None: it does not), its servers (None: they do not answer)."""

    data: Path
    address: Address | None
    embedded: bool
    """Whether its servers are those of its folder, which run only while it runs."""
    database_url: str | None
    broker_url: str | None
    database: psycopg.Connection | None
    broker: Broker | None
    backups: Path | None
    free_percent: float
    """Less free space than this on a disk is too little."""

    def rows(self, question: str, *names: str, **values: Any) -> list[Any]:
        """What the database answers, as the verifier, who reads everything; nothing while it does not answer.

        `names` are put where the question has {}: schemas and tables of ours, `values` where it has %(…)s.
        """
        if self.database is None:
            return []
        return self.database.execute(question.format(*names).encode(), values).fetchall()

    @property
    def simulated(self) -> bool:
        """Whether it is a simulation, whose clock may jump over weeks."""
        return bool(self.rows("SELECT 1 FROM installation.clock WHERE simulated"))


@contextmanager
def looking_at(data: Path, *, backups: Path | None, free_percent: float) -> Iterator[Patient]:
    """The installation of a data folder or of the settings. Raises CannotLook when there is none."""
    address = _address(data)
    told = os.environ.get("BIANMIN_DATABASE_URL") or None
    if address is None and not told and not data.is_dir():
        raise CannotLook(f"there is no installation in {data}: name its folder with --data, or BIANMIN_DATABASE_URL")
    database_url = told or (address.database_url if address else None)
    broker_url = os.environ.get("BIANMIN_OPERATOR_BROKER_URL") or os.environ.get("BIANMIN_BROKER_URL")
    broker_url = broker_url or (address.broker_url if address else None)
    with ExitStack() as stack:
        yield Patient(
            data=data,
            address=address,
            embedded=not told,
            database_url=database_url,
            broker_url=broker_url,
            database=_database(stack, database_url),
            broker=_broker(stack, broker_url),
            backups=backups,
            free_percent=free_percent,
        )


def _address(data: Path) -> Address | None:
    try:
        return Address.read(data)
    except CannotStart:
        return None


def _database(stack: ExitStack, url: str | None) -> psycopg.Connection | None:
    if not url:
        return None
    try:
        return stack.enter_context(connected(url))
    except psycopg.OperationalError as error:
        if "authentication failed" in str(error) or "no password supplied" in str(error):
            raise CannotLook(
                "the database refuses the verifier, as whom the doctor reads: set BIANMIN_VERIFIER_DATABASE_PASSWORD"
            ) from None
        return None


def _broker(stack: ExitStack, url: str | None) -> Broker | None:
    if not url:
        return None
    broker = broker_at(url)
    stack.callback(broker.close)
    try:
        broker.greet()
    except AWAY:
        return None
    return broker
