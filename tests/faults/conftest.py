"""Every fault case runs once in the ordinary suite, with little traffic; `--seeds N` runs all of them, N times each."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.house import House, open_house
from tests.folders import reachable_folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=0, help="run every fault case in full with so many seeds")
    parser.addoption("--orders", type=int, default=300, help="orders of a case of the full run at least")


def seeds(config: pytest.Config) -> int:
    """How many seeds the full run has; 0 in the ordinary suite, where this folder's option may not be known."""
    return int(config.getoption("--seeds", default=0) or 0)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, max(1, seeds(metafunc.config)) + 1), ids=lambda seed: f"seed-{seed}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Cases marked `fault(full=True)` are for the full run alone."""
    if seeds(config):
        return
    left_out = [item for item in items if any(mark.kwargs.get("full") for mark in item.iter_markers("fault"))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether this is the full run."""
    return seeds(pytestconfig) > 0


@pytest.fixture(scope="session")
def orders(full: bool, pytestconfig: pytest.Config) -> int:
    """Orders of a case at least."""
    return int(pytestconfig.getoption("--orders")) if full else 12


class Houses:
    """One installation for many cases; a new one after a case that failed."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._house: House | None = None
        self._failed = 0

    def intact(self, failed: int) -> House:
        if self._house is None or failed != self._failed:
            self.close()
            self._failed = failed
            folder = self._open.enter_context(reachable_folder())
            self._house = self._open.enter_context(open_house(folder))
        return self._house

    def close(self) -> None:
        self._open.close()
        self._house = None


@pytest.fixture(scope="session")
def houses() -> Iterator[Houses]:
    houses = Houses()
    yield houses
    houses.close()


@pytest.fixture
def house(houses: Houses, request: pytest.FixtureRequest) -> House:
    """An installation in which nothing is amiss yet."""
    return houses.intact(request.session.testsfailed)
