"""A figure that was measured, and the stack it is measured on."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text

from bianmin.children import wait_until
from bianmin.client import Client, Person
from bianmin.stack import SERVICES
from tests.stack import RunningStack, running


@dataclass(frozen=True)
class Figure:
    """One line of the table; without a limit it only informs."""

    name: str
    measured: float
    unit: str
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """How much of the limit is used: above 1 it is exceeded."""
        return None if self.limit is None else self.measured / self.limit

    @property
    def exceeded(self) -> bool:
        """Whether it has a limit and is above it."""
        return self.ratio is not None and self.ratio > 1


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user can reach too, so that everything written is in it and goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def fresh_stack(*arguments: str) -> Iterator[RunningStack]:
    """A new installation, up at a free port, stopped and removed at the end."""
    with temporary_folder() as folder, running(folder / "data", *arguments) as stack:
        yield stack


def found_company(stack: RunningStack, client: Client) -> Person:
    """The first administrator of a new company."""
    secret = stack.await_up().founder_secret
    made = client.post(None, "/hr/api/company", secret=secret, name="便民", administrator="周宁")
    return Person(made["person_id"], "周宁", "administrator", made["token"])


def await_acknowledged(stack: RunningStack) -> None:
    """Wait until every message published so far is acknowledged."""
    engine = create_engine(stack.await_up().database_url, poolclass=NullPool)
    opened = " OR ".join(f"EXISTS (SELECT FROM {name}.outbox WHERE acknowledged_at IS NULL)" for name in SERVICES)

    def acknowledged() -> bool:
        with engine.connect() as connection:
            return not connection.execute(text(f"SELECT {opened}")).scalar_one()

    wait_until("every message to be acknowledged", acknowledged, seconds=60)


def hire(client: Client, administrator: Person, name: str) -> None:
    """One more person: a row in hr and a `PersonChanged` to each of the three other services."""
    facts = {"name": name, "role": "worker", "department": "engineering", "all_sites": True}
    client.post(administrator, "/hr/api/people", **facts)
