"""The broker, asked directly: for what kombu has no words."""

from collections.abc import Iterable

import redis
import structlog
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError
from redis.retry import Retry

log = structlog.get_logger()

ANSWER_SECONDS = 2


def broker_client(url: str) -> "redis.Redis":
    """A client that waits 2 s for an answer at most and tries once; raises RedisError when there is none."""
    return redis.Redis.from_url(
        url.replace("redis+socket://", "unix://", 1),
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def queue_lengths(url: str, queues: Iterable[str]) -> dict[str, int] | None:
    """How many tasks wait in each queue, as the account of the operator sees it; None while the broker is away."""
    try:
        with broker_client(url) as client:
            return {queue: int(client.llen(queue)) for queue in queues}
    except RedisError:
        return None


def broker_away(url: str) -> str | None:
    """That the broker does not answer, in one sentence, or None."""
    try:
        with broker_client(url) as client:
            client.ping()
    except RedisError as error:
        return f"the broker does not answer ({type(error).__name__}): messages wait in the database until it is back"
    return None


def broker_fault(url: str) -> str | None:
    """Why the broker may not be used, in one sentence, or None; raises RedisError when it does not answer."""
    with broker_client(url) as client:
        try:
            policy = client.info("memory").get("maxmemory_policy", "noeviction")
        except NoPermissionError:
            log.warning("broker_unchecked", reason="its ACL forbids INFO")
            return None
    if policy == "noeviction":
        return None
    return f"the broker's maxmemory-policy is {policy}, so it drops messages when it is full: set it to noeviction"
