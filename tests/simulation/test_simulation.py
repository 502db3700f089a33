"""Nothing is lost and nothing is doubled, whatever strikes: a hundred seeds; `make simulate` plays a thousand."""

import pytest

from tests.simulation.company import Company
from tests.simulation.run import simulate

BLOCKS = [range(first, first + 10) for first in range(0, 100, 10)]


@pytest.mark.parametrize("seeds", BLOCKS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_whatever_strikes_nothing_is_lost_nothing_doubled_and_every_fen_accounted_for(
    company: Company, seeds: range
) -> None:
    failures = {result.seed: result.failure for result in (simulate(seed, company) for seed in seeds) if result.failure}
    assert not failures, f"replay with: python -m tests.simulation SEED; {failures}"


def test_the_same_seed_plays_the_same_run_event_by_event(company: Company) -> None:
    first, again = simulate(7, company), simulate(7, company)
    assert (first.events, first.digest) == (again.events, again.digest)
    assert simulate(8, company).digest != first.digest


def test_the_seeds_of_the_suite_meet_every_kind_of_fault(company: Company) -> None:
    met = {what for seed in range(100, 106) for what in simulate(seed, company).counts}
    assert met >= {
        "acts",
        "deliveries",
        "answers lost",
        "repeats of people",
        "wiped",
        "crash before a statement",
        "crash before a commit",
        "crash after a commit",
        "cut before a statement",
        "cut before a commit",
        "cut after a commit",
        "busy before a statement",
    }
