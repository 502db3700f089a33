"""Kombu's Redis transport, so that neither a broken message nor a lost connection ends or stalls a worker.

It keeps to the account of its service (bianmin/broker_accounts.py): what its workers hold lies under keys of its own, a
queue is one list, and no script is run.

Besides, three things that kombu 5.7 gets wrong, each with a test that fails without it
(tests/shared/test_worker_poison.py, tests/journeys/test_worker_broker.py):

- what is on the queue and is no message raises in the event loop, which ends the process: here it is refused;
- an acknowledgement that fails keeps its place in the prefetch window for ever, and after a few the worker stays
  connected and consumes nothing: here the place is given back, and the broker delivers the message again;
- closing a connection that holds messages reads the address of a client that is gone: here nothing is given back
  through it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from time import time  # noqa: TID251  # kombu notes by it since when a message is held
from typing import Any

from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES, redis

from shared.db import SERVICES

LOST = tuple(error for error in redis.Transport.connection_errors if error is not KeyError)
"""The connection failed. Kombu counts KeyError in, which is also what a message without a field raises."""


class QoS(redis.QoS):
    """The messages a worker holds: a place in the window is free once a message was answered, whatever became of it."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge; what the broker did not hear is delivered again, and the inbox knows it."""
        with self._freeing(delivery_tag) as connected:
            if connected:
                super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give back or drop."""
        with self._freeing(delivery_tag) as connected:
            if connected:
                super().reject(delivery_tag, requeue=requeue)

    def restore_unacked(self, client: Any = None) -> None:
        """Give everything back, where there is still a connection to do it."""
        if self._connected():
            super().restore_unacked(client)
        self._delivered.clear()

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Give back what was held for too long; kombu's own takes a lock first, which needs scripts.

        Workers that give back the same at once give it back once: each message in a transaction of its own.
        """
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        held_since = time() - self.visibility_timeout
        with self.channel.conn_or_acquire() as client:
            oldest = client.zrange(
                self.unacked_index_key, held_since, 0, desc=True, byscore=True, offset=num and start, num=num
            )
            for tag in oldest:
                self.restore_by_tag(tag, client)

    @contextmanager
    def _freeing(self, delivery_tag: str) -> Iterator[bool]:
        connected = self._connected()
        try:
            yield connected
        except Exception:
            self._quick_ack(delivery_tag)
            raise
        if not connected:
            self._quick_ack(delivery_tag)

    def _connected(self) -> bool:
        transport = self.channel.connection
        return transport is not None and transport.client is not None


class Channel(redis.Channel):
    """What is popped and cannot be parsed is refused."""

    QoS = QoS

    def _has_queue(self, queue: str, **_: Any) -> bool:  # noqa: ARG002  # kombu's
        """Every queue is there: an empty one is no key, which only who may read it could tell from a missing one."""
        return True

    def _brpop_read(self, **options: Any) -> bool | None:
        try:
            read: bool | None = super()._brpop_read(**options)
        except (Empty, self.ResponseError, *LOST):
            raise
        except Exception as error:  # noqa: BLE001  # not JSON, or JSON that builds an object that cannot be
            self.connection.refuse(getattr(error, "doc", ""), error)  # a JSONDecodeError has the text
            return True
        return read


class Transport(redis.Transport):
    """What is delivered and is no message is refused, wherever between the broker and the task that shows."""

    Channel = Channel
    client: Any

    def refuse(self, raw: object, error: Exception) -> None:
        """Count it, as the transport option of that name does."""
        self.client.transport_options["refuse"](raw, error)

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)
        except (redis.redis.exceptions.ResponseError, *LOST):
            raise
        except Exception as error:  # noqa: BLE001  # the forms of what is no message are without number
            self.refuse(message, error)


def held_keys(service: str) -> tuple[str, str]:
    """Where the broker keeps what the workers of a service hold: the messages, and since when."""
    return f"held-{service}", f"held-since-{service}"


def own_keys(service: str) -> dict[str, Any]:
    """The transport options by which the workers of a service use only what is theirs."""
    held, since = held_keys(service)
    return {"unacked_key": held, "unacked_index_key": since, "priority_steps": [0]}


OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "health_check_interval": 10,
}
"""Give back what a killed worker held after a minute, and never wait for ever on a dead socket."""


def celery_settings(url: str, service: str, refuse: Callable[[object, Exception], None]) -> dict[str, Any]:
    """What the Celery app of a service is told beyond what it is told for any broker."""
    install()
    return {
        "broker_url": url,
        "broker_transport_options": OPTIONS | own_keys(service) | {"refuse": refuse},
        "task_queues": [Queue(name, Exchange(""), routing_key=name) for name in SERVICES],
    }


def install() -> None:
    """Let every redis:// and rediss:// connection of this process be one of these."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
