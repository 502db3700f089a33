"""The engineering department of site BK."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.services.dispatch.crew import Crew, hire


@pytest.fixture
def crew(session_of: Callable[[str], Session]) -> Crew:
    return hire(session_of("dispatch"))
