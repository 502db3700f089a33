"""Nothing is lost and nothing is doubled, whatever strikes: a hundred seeds; `make simulate` plays a thousand."""

import pytest

from tests.simulation.company import Company
from tests.simulation.run import Result, simulate

SEEDS = range(100)

FAULTS = {
    "answers lost",
    "came early",
    "repeats of people",
    "wiped",
    "busy before a statement",
    "crash before a statement",
    "crash before a commit",
    "crash after a commit",
    "cut before a statement",
    "cut before a commit",
    "cut after a commit",
}


@pytest.fixture(scope="module")
def results(founded: Company) -> list[Result]:
    """What became of each seed."""
    with founded.in_use():
        return [simulate(seed, founded) for seed in SEEDS]


def test_whatever_strikes_nothing_is_lost_nothing_doubled_and_every_fen_accounted_for(results: list[Result]) -> None:
    failures = {result.seed: result.failure for result in results if result.failure}
    assert not failures, f"replay with: python -m tests.simulation SEED; {failures}"


def test_every_kind_of_fault_struck(results: list[Result]) -> None:
    met = {what for result in results for what, count in result.counts.items() if count}
    assert met >= FAULTS, f"these seeds never met: {FAULTS - met}"


def test_the_same_seed_plays_the_same_run_event_by_event(company: Company) -> None:
    first, again = simulate(7, company), simulate(7, company)
    assert (first.events, first.digest) == (again.events, again.digest)
    assert simulate(8, company).digest != first.digest
