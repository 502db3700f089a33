"""The front desk of site BK."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.services.intake.desk import Desk, open_desk


@pytest.fixture
def desk(session_of: Callable[[str], Session]) -> Desk:
    return open_desk(session_of("intake"))
