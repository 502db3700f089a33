"""The runners: threads of a worker that do a service's errands, so that a slow stranger stops no message of ours."""

import threading
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError as DatabaseError

from shared.db import Database
from shared.log import begin_trace
from shared.tasks import Errand

log = structlog.get_logger()

RUNNERS = 2
"""Errands a worker does at a time; any number of workers may run them."""

BEAT_SECONDS = 1.0


class Runners:
    """See the module. `start` and `stop` are called by the worker."""

    def __init__(self, database: Database, errands: Sequence[Errand[Any, Any]]) -> None:
        self._database = database
        self._errands = errands
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"runner-{number}", daemon=True)
            for number in range(RUNNERS if errands else 0)
        ]

    def start(self) -> None:
        """Begin to run, in threads of their own; none when the service has no errands."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the errands under way; what a dying process leaves undone is done when its lease is over."""
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            begin_trace(service=self._database.service)
            try:
                ran = [errand.run(self._database) for errand in self._errands]
            except DatabaseError as error:
                log.warning("errand_interrupted", error=type(error).__name__)
                ran = []
            except Exception:  # a defect must not end the runner
                log.exception("errand_failed")
                ran = []
            if not any(ran):
                self._stopping.wait(BEAT_SECONDS)
