"""The watchdog: a file that is touched as long as a worker makes progress, for whoever is to end one that hangs.

That a process lives and is connected says nothing: it may have stopped consuming. It makes progress when a delivery
ended since the last look, whatever came of it, or none waits in its queue. A broker or a database that cannot be
reached is not the worker's fault. Whoever watches the file (`bianmin.children`, a liveness probe) kills a worker that
has not touched it for ten seconds: a kill is harmless, so no harm is done where the worker was only slow.
"""

import threading
from pathlib import Path
from time import monotonic

import psycopg
import structlog

from shared.broker import AWAY, Broker
from shared.broker.redis import ANSWER_SECONDS
from shared.db import Database

log = structlog.get_logger()

BEAT_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
"""So long without progress, the database is asked whether it is there."""


class Watchdog:
    """See the module. `start` and `stop` are called by the worker, `ended` by its deliveries; no file, no watch."""

    def __init__(self, database: Database, broker: Broker, file: Path | None) -> None:
        self._database = database
        self._broker = broker
        self._file = file
        self._stopping = threading.Event()
        self._ended = 0
        self._seen = 0
        self._progress_at = monotonic()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch, in a thread of its own."""
        if self._file is not None:
            self._thread.start()

    def stop(self) -> None:
        """The worker ends: touch the file no more."""
        self._stopping.set()

    def ended(self) -> None:
        """A delivery ended, well or not."""
        self._ended += 1  # two threads may count as one: any change is progress

    @property
    def deliveries(self) -> int:
        """How many deliveries have ended in this process."""
        return self._ended

    @property
    def idle_seconds(self) -> int:
        """For how long it has made no progress although something waited; 0 when nobody watches."""
        return int(monotonic() - self._progress_at) if self._thread.is_alive() else 0

    def _run(self) -> None:
        self._touch()  # to have started is progress
        while not self._stopping.wait(BEAT_SECONDS):
            if self._progresses():
                self._touch()

    def _progresses(self) -> bool:
        ended = self._ended
        if ended != self._seen or not self._waiting() or not self._database_answers():
            self._seen = ended
            self._progress_at = monotonic()
            return True
        return False

    def _touch(self) -> None:
        try:
            if self._file is not None:
                self._file.touch()
        except OSError as error:  # a full disk: the worker goes on, and is ended if it lasts
            log.error("progress_file_untouched", error=type(error).__name__)

    def _waiting(self) -> bool:
        """Whether something waits in our queue."""
        try:
            return self._broker.length(self._database.service) > 0
        except AWAY:
            return False

    def _database_answers(self) -> bool:
        """Whether the database can be reached; asked only when there was no progress for a while."""
        if monotonic() - self._progress_at < PATIENCE_SECONDS:
            return True
        try:
            url = self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(url, connect_timeout=ANSWER_SECONDS) as connection:
                return connection.info.status == psycopg.pq.ConnStatus.OK
        except psycopg.OperationalError:
            return False
