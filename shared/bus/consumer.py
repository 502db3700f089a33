"""Celery's consumer for a queue on which anything may lie: what is no task of ours is counted and acknowledged.

Stock Celery ends on a message with a body of another shape, is given it back, and ends again; what it can name as
unknown it drops with a line in the log that holds the body. Here both are rows of `unreadable`, without the body.
"""

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from celery.worker import consumer
from kombu.message import Message
from kombu.transport.pyamqp import Transport as RabbitMQ
from sqlalchemy.exc import OperationalError

from shared.bus import inbox
from shared.bus.transport import LOST as REDIS_LOST
from shared.db import Database

log = structlog.get_logger()

LOST = (*REDIS_LOST, *RabbitMQ.connection_errors)
"""The connection to the broker failed, whichever it is."""


class NoTaskOfOurs(Exception):
    """A message that Celery can read and that this house never sends."""


def refuse(database: Database, raw: object, error: Exception) -> None:
    """Count what is no message in the table `unreadable`.

    Where the database is away it is only logged: a message of the house is sent again by its sender, and nobody
    waits for anything else.
    """
    words = f"{type(error).__name__}: {error}".splitlines()[0]  # further lines of a database's error hold the data
    reason = "".join(letter if letter.isprintable() else "?" for letter in words)
    try:
        inbox.refuse(database, _bytes(raw), reason=reason)
    except OperationalError as away:
        log.error("message_refused_uncounted", reason=reason[:200], error=type(away).__name__)


def _bytes(raw: object) -> bytes:
    """Bytes by which the same thing is known again; nothing when it cannot even be written."""
    if isinstance(raw, str):
        return raw.encode(errors="replace")
    try:
        return json.dumps(raw, default=repr).encode()
    except (RecursionError, TypeError, ValueError):
        return b""


class Consumer(consumer.Consumer):  # type: ignore[misc]  # Celery has no types
    """See the module."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]  # Celery has no types
        """Without what would declare 28 queues for tasks that are to be done later: we have none."""

        default_steps = tuple(s for s in consumer.Consumer.Blueprint.default_steps if "delayed_delivery" not in s)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, and try each second while the broker is away; Celery would wait longer each time, up to 30 s."""
        conn.ensure_connection = partial(conn.ensure_connection, interval_start=1, interval_step=0)
        return super().ensure_connected(conn)

    def create_task_handler(self, **options: Any) -> Callable[[Message], None]:
        """What Celery does with a message, after it was found to be one of ours."""
        handle = super().create_task_handler(**options)

        def handle_ours(message: Message) -> None:
            try:
                self._check(message)
                handle(message)
            except LOST:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, the next message is not to wait for it
                self._refuse(message, error)

        return handle_ours

    def _check(self, message: Message) -> None:
        """Raise when it is no task of ours, with named arguments, to be done now and with nothing after it."""
        name = message.headers.get("task")
        if not isinstance(name, str) or not name.startswith(f"{self.app.main}.") or name not in self.strategies:
            raise NoTaskOfOurs(f"no task of {self.app.main} has the name {str(name)[:80]}")
        positional, named, after = message.payload
        if positional or not isinstance(named, dict) or any(after.values()):
            raise NoTaskOfOurs("a task has named arguments alone, and nothing follows it")
        if message.headers.get("eta") or message.headers.get("expires"):
            raise NoTaskOfOurs("a task is to be done now")

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Celery met a body it cannot decode."""
        self._refuse(message, exc)

    def on_invalid_task(self, body: Any, message: Message, exc: Exception) -> None:  # noqa: ARG002  # Celery's
        """Celery met headers it cannot understand."""
        self._refuse(message, exc)

    def _refuse(self, message: Message, error: Exception) -> None:
        came = getattr(message, "_raw", message.body)  # of Redis, kombu keeps all of it, for giving it back
        self._count(came, error)
        if not message.acknowledged:
            message.ack_log_error(logging.getLogger(__name__), self.connection_errors)

    @property
    def _count(self) -> Callable[[object, Exception], None]:
        counting: Callable[[object, Exception], None] = self.app.conf.refuse_message
        return counting


def refusing(where: Callable[[], Database]) -> Callable[[object, Exception], None]:
    """`refuse` for one service, as the transport and the consumer get it."""
    return lambda raw, error: refuse(where(), raw, error)
