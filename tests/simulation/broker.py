"""A broker in memory that does to messages what a real one may do: lose, double, reorder and forget them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kombu.exceptions import OperationalError as BrokerError

from shared.db import SERVICES
from tests.simulation.hazard import CALM, Odds

MOSTLY = 0.85
"""How likely the task that is delayed is lost."""


@dataclass(frozen=True)
class Task:
    """A Celery task as it waits in a queue."""

    name: str
    kwargs: str
    redelivered: bool = False


class Broker:
    """The queues. It is also the app and the producer a pump sends through, and whom it asks how long they are."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.odds: Odds = CALM
        self.queues: dict[str, list[Task]] = {service: [] for service in SERVICES}
        self._batch: list[tuple[str, Task]] | None = None

    # --- what the pump uses -------------------------------------------------------------------------------------

    def send_task(self, name: str, *, kwargs: dict[str, Any], queue: str, **_: Any) -> None:
        """Put a task on a queue, with the batch under way."""
        if self._batch is None:
            self._put(queue, Task(name, json.dumps(kwargs)))
        else:
            self._batch.append((queue, Task(name, json.dumps(kwargs))))

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Send together; the connection may be lost in the middle, after some of them."""
        self._batch = []
        try:
            yield
            batch = self._batch
        finally:
            self._batch = None
        lost_after = self.random.randrange(len(batch)) if batch and self.random.random() < self.odds.partial else None
        for count, (queue, task) in enumerate(batch):
            if count == lost_after:
                raise BrokerError("connection reset")
            self._put(queue, task)

    def length(self, queue: str) -> int:
        """How many wait."""
        return len(self.queues[queue])

    def _put(self, queue: str, task: Task) -> None:
        if self.random.random() >= (MOSTLY if task.name == self.odds.delayed else self.odds.loss):
            self.queues[queue].append(task)

    # --- what the workers use -----------------------------------------------------------------------------------

    def take(self, service: str) -> Task:
        """The next task of a queue that has some; perhaps it stays there too, to be delivered again."""
        queue = self.queues[service]
        place = self.random.randrange(len(queue)) if self.random.random() < self.odds.reorder else 0
        task = queue.pop(place)
        if self.random.random() < self.odds.double:
            queue.insert(self.random.randint(0, len(queue)), task)
        return task

    def worker_died(self, service: str, task: Task) -> None:
        """What a dead worker held comes back marked as delivered before, or is gone."""
        if self.random.random() < 0.6:
            self.queues[service].append(replace(task, redelivered=True))

    def wipe(self) -> int:
        """FLUSHALL; how many are lost."""
        lost = sum(len(queue) for queue in self.queues.values())
        for queue in self.queues.values():
            queue.clear()
        return lost

    @property
    def waiting(self) -> list[str]:
        """The queues that have something."""
        return [service for service, queue in self.queues.items() if queue]
