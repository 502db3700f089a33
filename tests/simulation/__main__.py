"""`python -m tests.simulation SEED` plays one seed and prints it; `--seeds N` plays seeds 0 to N-1."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bianmin.engines import Engines
from tests.conftest import give_keys
from tests.folders import reachable_folder
from tests.simulation.company import Company, found
from tests.simulation.run import simulate


def say(line: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def a_company() -> Iterator[Company]:
    """A founded company on engines of its own."""
    with reachable_folder() as folder:
        engines = Engines(folder, durable=False)
        give_keys(folder)
        engines.start()
        try:
            company = found(engines.database_url, engines.broker_url)
            with company.in_use():
                yield company
        finally:
            engines.stop()


def main() -> int:
    """Play, print, and say by the exit status whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="play this seed and print every event")
    parser.add_argument("--seeds", type=int, default=0, help="play so many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--twice", type=int, default=0, help="play so many of them a second time, and compare")
    options = parser.parse_args()
    with a_company() as company:
        if options.seed is not None:
            result = simulate(options.seed, company, say=say)
            say(f"seed {result.seed}: {result.events} events, digest {result.digest[:16]}, {result.counts}")
            say(result.failure or "all is well")
            return int(bool(result.failure))
        return play(company, range(options.first, options.first + options.seeds), twice=options.twice)


def play(company: Company, seeds: range, *, twice: int) -> int:
    """Play seeds, and the first `twice` of them once more: a seed that plays differently is no seed."""
    began = time.monotonic()
    counts: Counter[str] = Counter()
    failing = []
    digests = {}
    for seed in seeds:
        result = simulate(seed, company)
        digests[seed] = result.digest
        counts.update(result.counts)
        counts["events"] += result.events
        if result.failure:
            failing.append(seed)
            say(f"seed {seed} FAILED after {result.events} events: {result.failure[:400]}")
    again = seeds[:twice]
    different = [seed for seed in again if simulate(seed, company).digest != digests[seed]]
    for what, count in sorted(counts.items()):
        say(f"{count:8} {what}")
    if again:
        say(f"{len(again) - len(different)} of {len(again)} seeds played the same again")
    say(f"{len(seeds)} seeds in {time.monotonic() - began:.0f} s; failing: {failing or 'none'}")
    return int(bool(failing or different))


if __name__ == "__main__":
    sys.exit(main())
