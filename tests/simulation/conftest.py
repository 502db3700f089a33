"""The company of the simulation, on the engines of the run."""

from collections.abc import Iterator

import pytest

from bianmin.engines import Engines
from tests.simulation.company import Company, found


@pytest.fixture(scope="session")
def founded(engines: Engines) -> Company:
    return found(engines.database_url, engines.broker_url)


@pytest.fixture
def company(founded: Company) -> Iterator[Company]:
    with founded.in_use():
        yield founded
