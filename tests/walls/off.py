"""The services' own checks of sites, switched off from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from unittest.mock import patch

from sqlalchemy.orm import Session

from shared import credentials
from shared.people import Actor, identify


@contextmanager
def checks_off() -> Iterator[None]:
    """Each person counts as one of all sites.

    The wall stands: what the transaction acts for was said in the statement that found out who asks.
    """

    def anybody(session: Session, token: str, *, said: str) -> tuple[Actor, datetime] | None:
        known = identify(session, token, said=said)
        return known and (replace(known[0], site_ids=None), known[1])

    with patch.object(credentials, "identify", anybody):
        yield
