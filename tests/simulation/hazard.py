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
            repeat=random.uniform(0, 0.08),
            leap=random.uniform(0, 0.1),
        )


CALM = Odds()
"""No fault at all."""

LATEST_POINT = 14
"""Strikes are drawn over so many points; a step that has fewer is struck by none."""


class Hazard:
    """Counts the points of a step, and strikes at the drawn one."""

    def __init__(self) -> None:
        self.points = 0
        self.commits = 0
        self.struck = ""
        self._kind: Kind | None = None
        self._at = 0

    def begin_step(self, kind: Kind | None = None, at: int = 0) -> None:
        """A step begins, in which `kind` strikes at point number `at`."""
        self.points, self.commits, self.struck = 0, 0, ""
        self._kind, self._at = kind, at

    def _due(self, where: str) -> Kind | None:
        self.points += 1
        if self._kind is None or self.points < self._at:
            return None
        if self._kind is Kind.BUSY and where != "before statement":
            return None
        kind, self._kind = self._kind, None
        self.struck = f"{kind} {where} {self.points}"
        return kind

    def before_statement(self, connection: Any) -> None:
        """A statement is about to be sent."""
        driver: psycopg.Connection[Any] = connection.connection.driver_connection
        kind = self._due("before statement")
        if kind is Kind.BUSY:
            raise OperationalError("", None, psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"))
        if kind is not None:
            self._end(driver, kind)

    def before_commit(self, driver: "psycopg.Connection[Any]") -> None:
        """COMMIT is about to be sent."""
        kind = self._due("before commit")
        if kind is not None:
            self._end(driver, kind)

    def after_commit(self, driver: "psycopg.Connection[Any]") -> None:
        """COMMIT was done."""
        self.commits += 1
        kind = self._due("after commit")
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
    commit, roll_back = engine.dialect.do_commit, engine.dialect.do_rollback

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
    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    engine.dialect.do_rollback = do_rollback  # type: ignore[method-assign]
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before_cursor_execute)
        engine.dialect.do_commit = commit  # type: ignore[method-assign]
        engine.dialect.do_rollback = roll_back  # type: ignore[method-assign]
