"""What the product draws at random, drawn from the seed: ids and tokens."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random
from unittest.mock import patch
from uuid import UUID

import shared.ids


@contextmanager
def drawn_from(random: Random, now: Callable[[], datetime]) -> Iterator[None]:
    """Inside, ids are versions 7 of the simulated moment, and secrets come from `random`."""
    count = 0

    def uuid7() -> UUID:
        nonlocal count
        count += 1
        milliseconds = int(now().timestamp() * 1000)
        tail = (count << 32 | random.getrandbits(32)) & (1 << 62) - 1
        return UUID(int=milliseconds << 80 | 7 << 76 | (count & 0xFFF) << 64 | 2 << 62 | tail)

    with (
        patch.object(shared.ids, "uuid7", uuid7),
        patch.object(secrets, "token_hex", lambda size=32: random.randbytes(size).hex()),
        patch.object(secrets, "token_urlsafe", lambda size=32: random.randbytes(size).hex()),
        patch.object(secrets, "token_bytes", lambda size=32: random.randbytes(size)),
    ):
        yield
