"""What a service hears and what it does by the clock, collected in its `tasks.py`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared import clock
from shared.audit import because, cause_of
from shared.bus.inbox import Handler
from shared.db import Database
from shared.messages import Message

CLAIM = 100
"""Rows one sweep acts on in one transaction."""


class Sweep(Protocol):
    """Does what is due at `now`, a bounded number of rows at a time; returns how many it did."""

    def __call__(self, session: Session, *, now: datetime) -> int:
        """Do the next rows."""


@dataclass(frozen=True)
class Deadline:
    """A column that promises something by a moment, and the condition under which that promise has ended.

    It ends by being kept, by being given up with its subject, or by its sweep recording that it passed.
    It has passed once the clock is *after* the moment.
    """

    kind: str
    due: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
    ended: ColumnElement[bool]

    def passed(self, now: Any) -> ColumnElement[bool]:
        """The condition of rows whose moment has passed at `now` and whose promise has not ended."""
        return and_(self.due < now, ~self.ended)

    def rows(self, *columns: Any, now: datetime) -> Select[Any]:
        """Of the rows that have passed, some that no other worker has, locked; the longest overdue first."""
        return (
            select(*columns).where(self.passed(now)).order_by(self.due).limit(CLAIM).with_for_update(skip_locked=True)
        )

    def claim(self, *columns: Any, now: datetime) -> Select[Any]:
        """The same rows, for the `WHERE … IN` of an UPDATE.

        In a WITH, because a plan may run a subquery more than once, and each time it would take further rows.
        """
        return select(*self.rows(*columns, now=now).cte("due").c)


@dataclass(frozen=True)
class Tick:
    """A deadline and the sweep that acts when it passes."""

    deadline: Deadline
    sweep: Sweep


JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Errand(Generic[JobT, ResultT]):
    """What is done outside the house when a deadline passes, as a request to another company's server.

    It holds no transaction and no lock meanwhile: `claim` takes the next job for itself, with a lease that ends by
    the database's own time, and commits; `go` does it, without a database; `report` records what came of it. A
    crash in between leaves the job to whoever claims it when the lease is over, so going twice must be harmless.
    """

    deadline: Deadline
    claim: Callable[..., JobT | None]
    """(session, *, now): the next job, None when there is none."""
    go: Callable[[JobT], ResultT]
    report: Callable[..., None]
    """(session, job, result, *, now)."""

    def run(self, database: Database) -> bool:
        """Do the next job; whether there was one."""
        with database.session() as session:
            because(session, cause_of(f"errand {self.deadline.kind}"))
            job = self.claim(session, now=clock.now(session))
        if job is None:
            return False
        result = self.go(job)
        with database.session() as session:
            because(session, cause_of(f"errand {self.deadline.kind}"))
            self.report(session, job, result, now=clock.now(session))
        return True


HandlerT = TypeVar("HandlerT", bound=Handler)
SweepT = TypeVar("SweepT", bound=Sweep)


@dataclass
class Tasks:
    """The messages a service handles, its ticks and its errands."""

    service: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    ticks: list[Tick] = field(default_factory=list)
    errands: list[Errand[Any, Any]] = field(default_factory=list)

    @property
    def deadlines(self) -> list[Deadline]:
        """Every deadline of the service."""
        return [tick.deadline for tick in self.ticks] + [errand.deadline for errand in self.errands]

    def hears(self, message: type[Message]) -> Callable[[HandlerT], HandlerT]:
        """Register the one handler of a message; raises ValueError when it is not for us or heard twice."""

        def register(handler: HandlerT) -> HandlerT:
            name = message.__name__
            if self.service not in message.receivers or name in self.handlers:
                raise ValueError(f"{name} is not for {self.service}, or has a handler already")
            self.handlers[name] = handler
            return handler

        return register

    def tick(self, deadline: Deadline) -> Callable[[SweepT], SweepT]:
        """Register the sweep of a deadline: run every second and whenever the simulated clock moves."""

        def register(sweep: SweepT) -> SweepT:
            self.ticks.append(Tick(deadline, sweep))
            return sweep

        return register
