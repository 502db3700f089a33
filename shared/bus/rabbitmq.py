"""How a worker speaks to RabbitMQ: Celery's own AMQP transport, and what it has to be told.

Quorum queues, each declared by the workers of its own service alone, as their account may.
"""

import struct
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from amqp.basic_message import Message
from amqp.exceptions import FrameSyntaxError
from kombu import Exchange, Queue

from shared.broker.rabbitmq import certificates
from shared.db import SERVICES

OPTIONS = {
    "confirm_publish": True,
    "read_timeout": 10,
    "write_timeout": 10,
}
"""A publishing waits for the broker to have it, ten seconds at most: a broker that is full or cut off is noticed.

With it travels a group of messages (shared/bus/pump.py), so the wait costs little.
"""

HEARTBEAT_SECONDS = 10.0
"""A line that is dead without being closed is noticed, by both ends, after twice as long."""

QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 10}
"""After so many times given back without being acknowledged the broker drops a message; its sender sends it again."""


def address(url: str) -> str:
    """The URL without what it says of certificates, which Celery is told apart."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=""))


def celery_settings(url: str, service: str) -> dict[str, Any]:
    """What the Celery app of a service is told beyond what it is told for any broker."""
    _install()
    return {
        "broker_url": address(url),
        "broker_use_ssl": certificates(url) or None,
        "broker_transport_options": dict(OPTIONS),
        "broker_heartbeat": HEARTBEAT_SECONDS,
        "broker_connection_timeout": 3,
        "task_queues": [_queue(name, own=name == service) for name in SERVICES],
    }


_load_properties = Message._load_properties  # noqa: SLF001  # the library has no other place for it


def _load_what_can_be(message: Message, class_id: int, buf: bytes, offset: int) -> int:
    """A message whose properties cannot be read has none: so it is no task of ours, and refused as any such.

    The library raises in the event loop, which would end the worker, and the next one that is given it.
    """
    try:
        return int(_load_properties(message, class_id, buf, offset))
    except (ValueError, LookupError, struct.error, FrameSyntaxError):
        message.properties = {}
        return offset


def _install() -> None:
    """Let every AMQP connection of this process read so."""
    Message._load_properties = _load_what_can_be  # noqa: SLF001  # see above


def _queue(name: str, *, own: bool) -> Queue:
    """Who sends to another's queue declares nothing: what is sent to a queue not there yet is lost, and sent again."""
    return Queue(name, Exchange(""), routing_key=name, queue_arguments=QUORUM, no_declare=not own)
