"""How a worker speaks to RabbitMQ: Celery's own AMQP transport, and what it has to be told.

Quorum queues, each declared by the workers of its own service alone, as their account may.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

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
    return {
        "broker_url": address(url),
        "broker_use_ssl": certificates(url) or None,
        "broker_transport_options": dict(OPTIONS),
        "broker_heartbeat": HEARTBEAT_SECONDS,
        "broker_connection_timeout": 3,
        "task_queues": [_queue(name, own=name == service) for name in SERVICES],
    }


def _queue(name: str, *, own: bool) -> Queue:
    """Who sends to another's queue declares nothing: what is sent to a queue not there yet is lost, and sent again."""
    return Queue(name, Exchange(""), routing_key=name, queue_arguments=QUORUM, no_declare=not own)
