"""Identifiers: UUID version 7, so that a primary key is also the order of creation."""

from uuid import UUID

from uuid_utils.compat import uuid7

NO_SITE = UUID(int=0)
"""No site has this id: a policy asked for it is the company's, which holds for people wherever they work."""


def new_id() -> UUID:
    """A new time-ordered UUID; rows sorted by it are sorted by creation."""
    return uuid7()
