"""Finance's office for its tests."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.services.finance.office import Office


@pytest.fixture
def office(session_of: Callable[[str], Session]) -> Office:
    """A site whose first day and month have begun."""
    office = Office(session_of("finance"))
    office.begin()
    return office
