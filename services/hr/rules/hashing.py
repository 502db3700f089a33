"""How passwords are kept: Argon2id, as costly as ASVS asks (appendix C), and on half of the cores [promise 22].

Each takes 46 MiB and a tenth of a second of a core: more at once would make logins a way to stop the service.
"""

import os
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
"""How many are made at a time: the other cores go on serving those who have signed in."""

_hasher = PasswordHasher(time_cost=2, memory_cost=47104, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
_turn = BoundedSemaphore(AT_ONCE)

NOBODYS = "$argon2id$v=19$m=47104,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A hash of no password: checked where there is no login, so that the answer takes as long."""


def hash_password(password: str) -> str:
    """The hash to keep; waits while as many as may be are being made."""
    with _turn:
        return _hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether the hash is this password's; just as much work when there is none."""
    with _turn:
        try:
            return _hasher.verify(password_hash or NOBODYS, password)
        except (VerificationError, InvalidHashError):
            return False


def needs_rehash(password_hash: str) -> bool:
    """Whether it was made at less cost than is asked today."""
    return _hasher.check_needs_rehash(password_hash)
