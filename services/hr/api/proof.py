"""Proving a password, a few at a time from counting the try to the hash, which is made outside any transaction.

Were fifty to ask for a thread and a connection at once, those who have signed in would wait behind them [promise 22].
"""

import asyncio
from weakref import WeakKeyDictionary

import structlog
from anyio import CapacityLimiter, to_thread
from pydantic import Field, SecretStr
from starlette.requests import Request

from services.hr.actions.login import Proof, password_hash_of
from services.hr.api.throttle import check_may_try
from services.hr.rules.hashing import AT_ONCE, is_password
from services.hr.rules.login import login_name
from services.hr.rules.password import LONGEST
from shared.limits import address_of, network_of
from shared.web import Body, transaction

log = structlog.get_logger()

_hashing: WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter] = WeakKeyDictionary()

HELD = 4 * LONGEST
"""Characters of a secret that are read: more than a password may have, so that one is told so."""


def hashing() -> CapacityLimiter:
    """The right to prove or hash a password: who waits for it holds no thread and no connection."""
    loop = asyncio.get_running_loop()
    if loop not in _hashing:
        _hashing[loop] = CapacityLimiter(AT_ONCE)
    return _hashing[loop]


class SignInBody(Body):
    """Who somebody says he is: his login name and password, and the code of his second factor where he has one."""

    login: str = Field(min_length=1, max_length=100)
    password: SecretStr = Field(min_length=1, max_length=HELD)
    totp: str | None = Field(default=None, min_length=1, max_length=32, description="six digits, or a recovery code")


async def proof_of(request: Request, body: SignInBody) -> Proof:
    """What the password proves, which may be nothing. Raises TooManyLogins."""
    login = login_name(body.login)
    address = network_of(address_of(request.scope))
    async with hashing():
        await to_thread.run_sync(check_may_try, login, address)
        held = await transaction("hr", request, lambda session: password_hash_of(session, login))
        right = await to_thread.run_sync(is_password, body.password.get_secret_value(), held)
    if held is None or not right:
        log.warning("login_refused", reason="wrong password" if held else "unknown name", address=address)
        return Proof(login, None)
    return Proof(login, held)
