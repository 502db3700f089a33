"""The ticker: one thread in every worker that acts on the deadlines that have passed, seals the audit log and purges.

It needs the database alone, so a broker that is away delays no promise. Any number of tickers may run, at any moment:
rows are claimed with SKIP LOCKED, so each deadline passes once. It looks once a second, and when the simulated clock
moves.
"""

import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.exc import OperationalError

from shared import clock, measures
from shared.audit import because, cause_of, seal
from shared.bus.purge import purge
from shared.db import Database
from shared.log import begin_trace
from shared.tasks import Tick

log = structlog.get_logger()

BEAT_SECONDS = 1.0
PURGE_SECONDS = 3600.0


class Ticker:
    """See the module. `start` and `stop` are called by the worker, `wake` by its pump."""

    def __init__(self, database: Database, ticks: Sequence[Tick]) -> None:
        self._database = database
        self._ticks = ticks
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._purge_at = monotonic() + PURGE_SECONDS
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin to tick, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """The clock moved: look now."""
        self._woken.set()

    def stop(self) -> None:
        """End after the claim under way; what is left undone is done by whoever ticks next."""
        self._stopping.set()
        self.wake()

    def join(self, seconds: float) -> None:
        """Wait for its end, for so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                sweep(self._database, self._ticks)
                seal(self._database)
                measures.ticked(self._database.service)
                if monotonic() > self._purge_at:
                    purge(self._database)
                    self._purge_at = monotonic() + PURGE_SECONDS
            except OperationalError as error:
                log.warning("ticker_interrupted", service=self._database.service, error=type(error).__name__)
            except Exception:  # a defect must not end the only thing that keeps promises
                log.exception("ticker_failed", service=self._database.service)
            self._woken.wait(BEAT_SECONDS)
            self._woken.clear()


def sweep(database: Database, ticks: Sequence[Tick]) -> None:
    """Act on every deadline that has passed, a claim at a time, until none is left.

    One query asks which deadlines have passed at all, so that a quiet second costs one round trip.
    """
    if not ticks:
        return
    begin_trace(service=database.service)
    with database.session() as session:
        now = clock.now(session)
        passed = session.execute(_any_passed(ticks), {"now": now}).one()
    for tick, has_passed in zip(ticks, passed, strict=True):
        more = has_passed
        while more:
            with database.session() as session:
                because(session, cause_of(f"deadline {tick.deadline.kind}"))
                done = tick.sweep(session, now=now)
            if done:
                log.info("deadline_passed", kind=tick.deadline.kind, count=done)
            more = done > 0


def _any_passed(ticks: Sequence[Tick]) -> Select[*tuple[Any, ...]]:
    now: Any = bindparam("now")
    return select(*(exists().where(tick.deadline.passed(now)).label(f"tick_{i}") for i, tick in enumerate(ticks)))
