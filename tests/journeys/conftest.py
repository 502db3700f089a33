"""One month is lived for all journeys: with every worker killed once on the way."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bianmin.children import wait_until
from bianmin.exports import SERVICES, Exports, read_exports
from tests.folders import reachable_folder
from tests.stack import RunningStack, running

BEGINS = datetime(2026, 3, 31, 16, tzinfo=UTC)


@dataclass(frozen=True)
class LivedMonth:
    """A month that was lived: the installation, still up, what `bianmin month` said, and what the APIs export."""

    stack: RunningStack
    exit_code: int
    output: str
    results: Path
    killed: dict[str, int]
    exports: Exports


@pytest.fixture(scope="session")
def lived_month() -> Iterator[LivedMonth]:
    with (
        reachable_folder() as folder,
        running(folder / "data", "--simulate", BEGINS.isoformat()) as stack,
    ):
        results = folder / "results"
        month = subprocess.Popen(
            [sys.executable, "-m", "bianmin", "month", "--data", str(stack.data), "--results", str(results)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=stack.environment,
        )
        killed = {}
        for number, service in enumerate(SERVICES):
            day = BEGINS + timedelta(days=4 + 5 * number, hours=10)

            def lived_until(day: datetime = day) -> bool:
                return month.poll() is not None or stack.clock() >= day

            wait_until(f"the month to reach {day:%d %B}", lived_until, seconds=240)
            if month.poll() is None:
                victim = stack.worker(service)
                killed[service] = victim.pid
                victim.kill()
        output = month.communicate(timeout=240)[0]
        with stack.client() as client:
            exports = read_exports(client, stack.people()["auditor"], "2026-04")
        yield LivedMonth(
            stack=stack,
            exit_code=month.returncode,
            output=output,
            results=results,
            killed=killed,
            exports=exports,
        )
