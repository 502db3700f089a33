"""A figure that was measured, and the stack it is measured on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from statistics import quantiles

from sqlalchemy import Connection, NullPool, create_engine, text

from bianmin.children import wait_until
from bianmin.client import Client, Person
from bianmin.stack import SERVICES
from tests.folders import reachable_folder
from tests.stack import RunningStack, running


@dataclass(frozen=True)
class Figure:
    """One line of the table, at most its limit or at least `at_least`; with neither it only informs."""

    name: str
    measured: float
    unit: str
    limit: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """How much of what is allowed is used: above 1 it is exceeded."""
        if self.at_least is not None:
            return self.at_least / self.measured if self.measured else inf
        if self.limit is None:
            return None
        return self.measured / self.limit if self.limit else self.measured

    @property
    def exceeded(self) -> bool:
        """Whether it is above its limit, or below what it has to be at least; a limit of 0 allows nothing."""
        if self.limit == 0:
            return self.measured > 0
        return self.ratio is not None and self.ratio > 1


@contextmanager
def fresh_stack(*arguments: str) -> Iterator[RunningStack]:
    """A new installation, up at a free port, stopped and removed at the end."""
    with reachable_folder() as folder, running(folder / "data", *arguments) as stack:
        yield stack


@contextmanager
def stamped_stack() -> Iterator[RunningStack]:
    """A new installation whose PostgreSQL keeps the moment of every commit (`pg_xact_commit_timestamp`)."""
    with reachable_folder() as folder:
        with running(folder / "data") as stack, owner_of(stack) as owner:
            owner.execute(text("ALTER SYSTEM SET track_commit_timestamp = on"))  # holds from the next start on
        with running(folder / "data") as stack:
            yield stack


def owner_of(stack: RunningStack) -> Connection:
    """A connection of the database's owner, without transactions."""
    return create_engine(stack.await_up().database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of the values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def found_company(stack: RunningStack, client: Client) -> Person:
    """The first administrator of a new company."""
    secret = stack.await_up().founder_secret
    made = client.post(None, "/hr/api/company", secret=secret, name="便民", administrator="周宁")
    return Person(made["person_id"], "周宁", "administrator", made["token"])


def await_acknowledged(stack: RunningStack, *, seconds: float = 60) -> None:
    """Wait until every message published so far is acknowledged."""
    engine = create_engine(stack.await_up().database_url, poolclass=NullPool)
    opened = " OR ".join(f"EXISTS (SELECT FROM {name}.outbox WHERE acknowledged_at IS NULL)" for name in SERVICES)

    def acknowledged() -> bool:
        with engine.connect() as connection:
            return not connection.execute(text(f"SELECT {opened}")).scalar_one()

    wait_until("every message to be acknowledged", acknowledged, seconds=seconds)


def hire(client: Client, administrator: Person, name: str) -> None:
    """One more person: a row in hr and a `PersonChanged` to each of the three other services."""
    facts = {"name": name, "role": "worker", "department": "engineering", "all_sites": True}
    client.post(administrator, "/hr/api/people", **facts)
