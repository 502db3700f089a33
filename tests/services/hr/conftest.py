"""A session of hr with one site."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.people import open_site

NOW = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def session(session_of: Callable[[str], Session]) -> Session:
    return session_of("hr")


@pytest.fixture
def site_id(session: Session) -> UUID:
    return open_site(session)


@pytest.fixture
def now() -> datetime:
    """Ten o'clock of 1 April 2026 in Shanghai."""
    return NOW
