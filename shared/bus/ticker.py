"""The ticker: one thread in every worker that acts on the deadlines that have passed, seals the audit log, purges,
and says that the worker is there.

It needs the database alone, so a broker that is away delays no promise. Any number of tickers may run, at any moment:
rows are claimed with SKIP LOCKED, so each deadline passes once. It looks once a second, and when the simulated clock
moves.
"""

import contextlib
import threading
from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.exc import OperationalError

from shared import clock, measures, tracing
from shared.audit import because, cause_of, seal
from shared.bus import presence
from shared.bus.purge import purge
from shared.bus.watchdog import Watchdog
from shared.db import Database
from shared.log import begin_trace
from shared.tasks import Tick

log = structlog.get_logger()

BEAT_SECONDS = 1.0
PURGE_SECONDS = 3600.0
SAY_SECONDS = 5.0


class Ticker:
    """See the module. `start` and `stop` are called by the worker, `wake` by its pump.

    `watchdog`: what knows of the worker's progress; without it nobody is told that this process is a worker.
    """

    def __init__(self, database: Database, ticks: Sequence[Tick], watchdog: Watchdog | None = None) -> None:
        self._database = database
        self._ticks = ticks
        self._watchdog = watchdog
        self._say_at = monotonic()
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
                self._say()
                if monotonic() > self._purge_at:
                    purge(self._database)
                    self._purge_at = monotonic() + PURGE_SECONDS
            except OperationalError as error:
                log.warning("ticker_interrupted", service=self._database.service, error=type(error).__name__)
            except Exception:  # a defect must not end the only thing that keeps promises
                log.exception("ticker_failed", service=self._database.service)
            self._woken.wait(BEAT_SECONDS)
            self._woken.clear()
        self._leave()

    def _say(self) -> None:
        if self._watchdog is not None and monotonic() >= self._say_at:
            presence.say(self._database, deliveries=self._watchdog.deliveries, idle_seconds=self._watchdog.idle_seconds)
            self._say_at = monotonic() + SAY_SECONDS

    def _leave(self) -> None:
        if self._watchdog is not None:
            with contextlib.suppress(OperationalError):  # then it is forgotten in an hour
                presence.leave(self._database)


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
        if has_passed:
            with tracing.work(f"tick {tick.deadline.kind}", kind="internal", service=database.service):
                _act(database, tick, now)


def _act(database: Database, tick: Tick, now: datetime) -> None:
    """Run the sweep of a deadline until it finds nothing more."""
    acted, done = 0, 1
    while done:
        with database.session() as session:
            because(session, cause_of(f"deadline {tick.deadline.kind}"))
            done = tick.sweep(session, now=now)
        if done:
            log.info("deadline_passed", kind=tick.deadline.kind, count=done)
        acted += done
    if acted:
        presence.note_tick(database, tick.deadline.kind, acted)


def _any_passed(ticks: Sequence[Tick]) -> Select[*tuple[Any, ...]]:
    now: Any = bindparam("now")
    return select(*(exists().where(tick.deadline.passed(now)).label(f"tick_{i}") for i, tick in enumerate(ticks)))
