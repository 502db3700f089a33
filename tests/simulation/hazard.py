"""What strikes between two SQL statements, or just before or just after a COMMIT."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError


class Crash(BaseException):
    """The process is gone: its memory is lost, its transaction was rolled back, or had been committed."""


class Kind(StrEnum):
    """What can strike."""

    CRASH = "crash"
    BUSY = "busy"
    """A lock was not had in time."""
    CUT = "cut"
    """The connection to the database ends; whoever commits at that moment does not learn how it went."""


@dataclass(frozen=True)
class Odds:
    """How likely each fault is in one run; drawn by seed, in ranges like those of TigerBeetle's VOPR."""

    loss: float = 0.0
    """of a message sent to the broker"""
    double: float = 0.0
    """of a message delivered, to be delivered once more"""
    reorder: float = 0.0
    """of a message being taken from anywhere in the queue instead of its head"""
    strike: float = 0.0
    """of something striking in a step"""
    partial: float = 0.0
    """of the broker being lost in the middle of a batch"""
    wipe: float = 0.0
    """of a step being a FLUSHALL"""
    repeat: float = 0.0
    """of a step being a person who sends again what was answered already"""
    delayed: str = ""
    """a task that is nearly always lost at first, so that what follows from it elsewhere comes before it"""
    leap: float = 0.0
    """of time passing by minutes to hours instead of seconds"""

    @classmethod
    def draw(cls, random: Random) -> "Odds":
        """The odds of a seed."""
        return cls(
            loss=random.uniform(0, 0.3),
            double=random.uniform(0, 0.5),
            reorder=random.uniform(0, 1),
            strike=random.uniform(0, 0.3),
            partial=random.uniform(0, 0.1),
            wipe=random.uniform(0, 0.02),
            repeat=random.uniform(0, 0.04),
            delayed=random.choice(DELAYED),
            leap=random.uniform(0, 0.1),
        )


DELAYED = ("", "finance.NoticeIssued", "intake.WorkAccepted", "intake.WorkAssigned")

CALM = Odds()
"""No fault at all."""

LATEST_STATEMENT = 20
"""Strikes between statements are drawn over so many; a step that has fewer is struck by none."""


@dataclass(frozen=True)
class Strike:
    """What strikes, and where: before a statement (the `number`th of the step or a later one), or at a COMMIT."""

    kind: Kind
    where: str
    number: int = 1

    @classmethod
    def draw(cls, random: Random) -> "Strike":
        """Of all strikes a fifth is before a COMMIT, and a third after one: there, what is lost is the answer."""
        kind = random.choice([Kind.CRASH, Kind.CRASH, Kind.BUSY, Kind.CUT])
        where = random.choices([STATEMENT, COMMIT, COMMITTED], [47, 20, 33])[0] if kind is not Kind.BUSY else STATEMENT
        return cls(kind, where, random.randint(1, LATEST_STATEMENT) if where == STATEMENT else random.randint(1, 2))


STATEMENT, COMMIT, COMMITTED = "before a statement", "before a commit", "after a commit"


MOST_STATEMENTS = 3000
"""A step that sends more of them never ends."""


class NeverEnds(Exception):
    """Something goes on for ever."""


class Hazard:
    """Counts the statements and COMMITs of a step, and strikes at the drawn one."""

    def __init__(self) -> None:
        self.statements = 0
        self.commits = 0
        self.struck = ""
        self._strike: Strike | None = None

    def begin_step(self, strike: Strike | None = None) -> None:
        """A step begins, in which that will strike."""
        self.statements, self.commits, self.struck = 0, 0, ""
        self._strike = strike

    def _due(self, where: str, number: int) -> Kind | None:
        strike = self._strike
        if strike is None or strike.where != where or number < strike.number:
            return None
        self._strike = None
        self.struck = f"{strike.kind} {where}"
        return strike.kind

    def before_statement(self, connection: Any) -> None:
        """A statement is about to be sent."""
        self.statements += 1
        if self.statements > MOST_STATEMENTS:
            raise NeverEnds(f"a step sent {self.statements} statements")
        kind = self._due(STATEMENT, self.statements)
        if kind is Kind.BUSY:
            raise OperationalError("", None, psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"))
        if kind is not None:
            self._end(connection.connection.driver_connection, kind)

    def before_commit(self, driver: "psycopg.Connection[Any]") -> None:
        """COMMIT is about to be sent."""
        kind = self._due(COMMIT, self.commits + 1)
        if kind is not None:
            self._end(driver, kind)

    def after_commit(self, driver: "psycopg.Connection[Any]") -> None:
        """COMMIT was done."""
        self.commits += 1
        kind = self._due(COMMITTED, self.commits)
        if kind is Kind.CRASH:
            raise Crash
        if kind is Kind.CUT:
            driver.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    @staticmethod
    def _end(driver: "psycopg.Connection[Any]", kind: Kind | None) -> None:
        driver.rollback()  # now, and not when the server notices: a lock that lingers would not be drawn by seed
        driver.close()
        if kind is Kind.CRASH:
            raise Crash


@contextmanager
def watched(engine: Engine, hazard: Hazard, committed: Any, rolled_back: Any) -> Iterator[None]:
    """Inside, every statement and COMMIT of `engine` is a point of `hazard`."""
    dialect: Any = engine.dialect
    commit, roll_back = dialect.do_commit, dialect.do_rollback

    def before_cursor_execute(connection: Any, *_: object) -> None:
        hazard.before_statement(connection)

    def do_commit(proxy: Any) -> None:
        hazard.before_commit(proxy.driver_connection)
        commit(proxy)
        committed()
        hazard.after_commit(proxy.driver_connection)

    def do_rollback(proxy: Any) -> None:
        rolled_back()
        roll_back(proxy)

    event.listen(engine, "before_cursor_execute", before_cursor_execute)
    dialect.do_commit = do_commit
    dialect.do_rollback = do_rollback
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before_cursor_execute)
        dialect.do_commit = commit
        dialect.do_rollback = roll_back
