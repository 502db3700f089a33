"""Taking a guard away and seeing whether anybody notices."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace

from tests.mutants.guards import SIMULATION, Mutant
from tests.simulation.company import Company
from tests.simulation.run import simulate

SEEDS = range(20)
"""A mutant that so many seeds do not notice has survived."""


@dataclass(frozen=True)
class Outcome:
    """Who noticed that the guard was gone, and how; nobody when it survived."""

    mutant: Mutant
    noticed_by: str
    how: str = ""


def hunt(mutant: Mutant, company: Company) -> Outcome:
    """Let the tests look for it."""
    return _by_seeds(mutant, company) if mutant.by == SIMULATION else _by_test(mutant)


def _by_seeds(mutant: Mutant, company: Company) -> Outcome:
    with mutant.apply():
        for seed in SEEDS:
            result = simulate(seed, replace(company, begin=mutant.begin))
            if result.failure:
                return Outcome(mutant, "simulation", f"seed {seed}: {result.failure}")
    return Outcome(mutant, "")


def _by_test(mutant: Mutant) -> Outcome:
    """A test that fails has noticed; one that cannot be run has not."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants.plugin", mutant.by],
        env=clean | {"BIANMIN_MUTANT": mutant.name},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if run.returncode == 1:
        return Outcome(mutant, mutant.by, run.stdout[-300:])
    return Outcome(mutant, "", run.stdout[-2000:] + run.stderr[-2000:])
