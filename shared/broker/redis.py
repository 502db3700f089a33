"""Redis or Valkey, asked directly."""

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


class Redis:
    """See Broker."""

    AWAY: tuple[type[Exception], ...] = (RedisError,)

    def __init__(self, url: str) -> None:
        self._client = broker_client(url)

    def length(self, queue: str) -> int:
        """A queue is one list; what a worker holds is elsewhere."""
        return int(self._client.llen(queue))

    def fault(self) -> str | None:
        """It may not drop messages by itself when it is full."""
        try:
            policy = self._client.info("memory").get("maxmemory_policy", "noeviction")
        except NoPermissionError:
            log.warning("broker_unchecked", reason="its ACL forbids INFO")
            return None
        if policy == "noeviction":
            return None
        return f"the broker's maxmemory-policy is {policy}, so it drops messages when it is full: set it to noeviction"

    def greet(self) -> None:
        """By PING, which every account may."""
        self._client.ping()

    def close(self) -> None:
        """Give its connections back."""
        self._client.close()
