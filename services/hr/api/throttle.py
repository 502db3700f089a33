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
    account = sha256(login.encode()).hexdigest()
    counted = counter(settings().broker_url)
    if not (counted.hit(OF_AN_ADDRESS, address) and counted.hit(OF_AN_ACCOUNT, account)):
        log.warning("login_throttled", account=account[:8], address=address)
        raise TooManyLogins("too_many_logins", f"too many tries; wait {MINUTES} minutes, open sessions go on")
