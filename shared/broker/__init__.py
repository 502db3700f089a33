"""The broker, asked directly: for what kombu has no words. The scheme of BIANMIN_BROKER_URL says which it is.

A kind of broker is one module here, and the Celery settings by which workers speak to it, in shared/bus (transport.py,
rabbitmq.py): Redis or Valkey, or RabbitMQ (docs/decisions/0017-rabbitmq.md).
"""

from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlsplit

from shared.broker.rabbitmq import RabbitMQ
from shared.broker.redis import Redis, broker_client

__all__ = [
    "AWAY",
    "Broker",
    "broker_at",
    "broker_away",
    "broker_client",
    "broker_fault",
    "is_rabbitmq",
    "queue_lengths",
]


class Broker(Protocol):
    """One broker, as one thread of this process asks it; answers are waited for two seconds at most."""

    def length(self, queue: str) -> int:
        """How many tasks wait in a queue, those not counted that a worker holds. Raises one of AWAY."""

    def fault(self) -> str | None:
        """Why it may not be used, in one sentence, or None. Raises one of AWAY."""

    def greet(self) -> None:
        """Raises one of AWAY when it does not answer."""

    def close(self) -> None:
        """Give its connection back."""


AWAY: tuple[type[Exception], ...] = (*Redis.AWAY, *RabbitMQ.AWAY)
"""What says that a broker does not answer, or not as it should."""


def is_rabbitmq(url: str) -> bool:
    """Whether the URL is of a RabbitMQ, and not of a Redis or Valkey."""
    return urlsplit(url).scheme in {"amqp", "amqps"}


def broker_at(url: str) -> Broker:
    """The broker of that URL; nothing is connected before it is asked something."""
    return RabbitMQ(url) if is_rabbitmq(url) else Redis(url)


def queue_lengths(url: str, queues: Iterable[str]) -> dict[str, int] | None:
    """How many tasks wait in each queue, as the account of the operator sees it; None while the broker is away."""
    broker = broker_at(url)
    try:
        return {queue: broker.length(queue) for queue in queues}
    except AWAY:
        return None
    finally:
        broker.close()


def broker_away(url: str) -> str | None:
    """That the broker does not answer, in one sentence, or None."""
    broker = broker_at(url)
    try:
        broker.greet()
    except AWAY as error:
        return f"the broker does not answer ({type(error).__name__}): messages wait in the database until it is back"
    finally:
        broker.close()
    return None


def broker_fault(url: str) -> str | None:
    """Why the broker may not be used, in one sentence, or None; raises one of AWAY when it does not answer."""
    broker = broker_at(url)
    try:
        return broker.fault()
    finally:
        broker.close()
