"""How often somebody may try to sign in: ten times for each account in a quarter of an hour [promise 22].

Counted on the broker, so that a restart or a second web process forgives nothing; in this process alone, with an
error in the log, while the broker is away. What is refused is not counted, so the window slides, and the right password
works again a quarter of an hour after the first of ten wrong ones. Sessions that are open are not touched.
"""

from functools import cache
from hashlib import sha256

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter
from redis.exceptions import RedisError

from shared.broker import broker_client
from shared.errors import Problem
from shared.settings import settings

log = structlog.get_logger()

MINUTES = 15
OF_AN_ACCOUNT = RateLimitItemPerMinute(10, MINUTES, namespace="account")
OF_AN_ADDRESS = RateLimitItemPerMinute(100, MINUTES, namespace="address")
"""A front desk shares one address, so it has more."""

PREFIX = "bianmin-login"
"""What the keys on the broker begin with: the ACL of hr's web process has to allow them."""


class TooManyLogins(Problem):
    """Too many were tried; the answer is the same whether or not there is such an account (429)."""

    status = 429


@cache
def _shared(broker_url: str) -> RateLimiter:
    pool = broker_client(broker_url).connection_pool
    return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=PREFIX))


@cache
def _alone() -> RateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


def check_may_try(login: str, address: str) -> None:
    """Count one try. Raises TooManyLogins when the account or the address has had its share."""
    account = sha256(login.encode()).hexdigest()
    try:
        may = _hit(_shared(settings().broker_url), account, address)
    except RedisError as error:
        log.error("login_throttle_without_broker", error=type(error).__name__)
        may = _hit(_alone(), account, address)
    if not may:
        log.warning("login_throttled", account=account[:8], address=address)
        raise TooManyLogins("too_many_logins", f"too many tries; wait {MINUTES} minutes, open sessions go on")


def _hit(limiter: RateLimiter, account: str, address: str) -> bool:
    return limiter.hit(OF_AN_ADDRESS, address) and limiter.hit(OF_AN_ACCOUNT, account)
