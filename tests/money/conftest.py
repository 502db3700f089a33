"""What the tests of the books stand on."""

import pytest

from tests.money.books import live
from tests.services.finance.conftest import office
from tests.services.finance.office import Office
from tests.services.finance.test_api import house

__all__ = ["house", "office"]


@pytest.fixture
def lived(office: Office) -> Office:
    """A site that lived two months in which every kind of journal was posted."""
    live(office)
    return office
