"""Moving the simulated clock, and waiting until everything that follows has happened."""

from datetime import datetime
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session

from bianmin.children import NeverCame, wait_until
from bianmin.client import Client, Person
from shared import clock

SERVICES = ("intake", "dispatch", "finance", "hr")
QUIET_SECONDS = 120.0


class NotASimulation(Exception):
    """The clock of a real installation cannot be moved."""


class MessageParked(Exception):
    """A message could not be handled: the month cannot go on as played."""


class World:
    """The installation as the play moves it: its clock, and whether anything is still under way."""

    def __init__(self, client: Client, database_url: str) -> None:
        self.client = client
        self._engine = create_engine(database_url, poolclass=NullPool)
        self.watcher: Person | None = None
        self.now = self._read_clock()
        self._quiet_after = -1
        """How many acts there had been when all was last quiet."""

    def _read_clock(self) -> datetime:
        with Session(self._engine) as session:
            session.execute(text("SET search_path = installation"))
            if not session.execute(text("SELECT simulated FROM clock")).scalar_one():
                raise NotASimulation("a month is lived in a simulation: start one with `bianmin up --simulate MOMENT`")
            return clock.now(session)

    def move_to(self, moment: datetime) -> None:
        """It is `moment` now; the deadlines passed by it are acted on, and what follows from them is done."""
        if moment <= self.now:
            return
        with Session(self._engine) as session, session.begin():
            clock.move(session, moment)
        self.now = moment
        self._quiet_after = -1
        self.settle()

    def run_clock(self) -> None:
        """From here on the clock runs by itself."""
        with Session(self._engine) as session, session.begin():
            clock.move(session, self.now, running=True)

    def settle(self) -> None:
        """Wait until no message is under way and no deadline has passed without being acted on.

        Two looks in a row must see the same quiet, because the services are looked at one after the other. While
        nobody acts and the clock stands, nothing begins by itself.
        Raises NeverCame, saying what was still open, and MessageParked.
        """
        if self.client.acts == self._quiet_after:
            return
        quiet_at: list[list[int] | None] = [None]
        states: list[dict[str, Any]] = []

        def quiet_twice() -> bool:
            self.client.while_waiting()
            states[:] = [self.client.get(self._watcher(), f"/{name}/ops/bus") for name in SERVICES]
            before = quiet_at[0]
            quiet_at[0] = None if _open(states) else [state["published"] for state in states]
            return before is not None and before == quiet_at[0]

        try:
            wait_until("the services to be quiet", quiet_twice, seconds=QUIET_SECONDS, every=0.005)
        except NeverCame as late:
            raise NeverCame(f"{late}; still open at {self.now}: {'; '.join(_open(states))}") from None
        self._quiet_after = self.client.acts

    def _watcher(self) -> Person:
        if self.watcher is None:
            raise RuntimeError("nobody was cast to watch yet")
        return self.watcher


def _open(states: list[dict[str, Any]]) -> list[str]:
    """What is still under way, in words."""
    told = []
    for state in states:
        if state["parked"]:
            raise MessageParked(f"{state['service']} parked {state['parked']} messages: see `bianmin status`")
        for part in ("unacknowledged", "waiting"):
            if state[part]:
                told.append(f"{state['service']} {part} {state[part]}")
        told += [
            f"{state['service']} deadline {line['kind']} overdue {line['overdue']}"
            for line in state["deadlines"]
            if line["overdue"]
        ]
    return told
