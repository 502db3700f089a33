"""How often somebody may try to sign in: ten times for each account in a quarter of an hour [promise 22].

Counted like every rate (shared/limits.py): on the broker, so that a restart or a second web process forgives nothing;
in this process alone, with an error in the log, while the broker is away. What is refused is not counted, so the window
slides, and the right password works again a quarter of an hour after the first of ten wrong ones. Sessions that are
open are not touched.
"""

from hashlib import sha256

import structlog
from limits import RateLimitItemPerMinute

from shared.errors import Problem
from shared.limits import counter
from shared.settings import settings

log = structlog.get_logger()

MINUTES = 15
OF_AN_ACCOUNT = RateLimitItemPerMinute(10, MINUTES, namespace="login-account")
OF_AN_ADDRESS = RateLimitItemPerMinute(100, MINUTES, namespace="login-address")
"""A front desk shares one address, so it has more."""


class TooManyLogins(Problem):
    """Too many were tried; the answer is the same whether or not there is such an account (429)."""

    status = 429


def check_may_try(login: str, address: str) -> None:
    """Count one try. Raises TooManyLogins when the account or the address has had its share."""
    check_address(address)
    account = sha256(login.encode()).hexdigest()
    if not counter(settings().broker_url).hit(OF_AN_ACCOUNT, account):
        raise _too_many(account=account[:8], address=address)


def check_address(address: str) -> None:
    """Count one try of an account that is not known yet. Raises TooManyLogins when the address has had its share."""
    if not counter(settings().broker_url).hit(OF_AN_ADDRESS, address):
        raise _too_many(account="", address=address)


def _too_many(*, account: str, address: str) -> TooManyLogins:
    log.warning("login_throttled", account=account, address=address)
    return TooManyLogins("too_many_logins", f"too many tries; wait {MINUTES} minutes, open sessions go on")
