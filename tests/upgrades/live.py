"""The first version serves a month while today's migrations run beneath it, and is then replaced (`make upgrade`).

Not part of the ordinary suite: it needs the repository's history, and a month's time.
"""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bianmin.address import Address
from bianmin.children import wait_until
from bianmin.stack import SERVICES
from tests.journeys.conftest import BEGINS
from tests.stack import RunningStack, running
from tests.upgrades.revisions import FIRST_COMMIT, ROOT

MIGRATED, REPLACED = BEGINS + timedelta(days=5, hours=11), BEGINS + timedelta(days=9, hours=11)
"""When, on the simulated clock, the database becomes a newer one, and when the processes do."""
ROWS = 110
"""Of the example's five hundred."""

PATIENT = "import bianmin.client, bianmin.cli; bianmin.client.PATIENCE_SECONDS = 900; bianmin.cli.main()"
"""The first version's command, which waits longer than a minute for what starts."""


@pytest.fixture
def ends_with() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def first_version(to: Path) -> dict[str, str]:
    """Its tree, and what makes a process run it."""
    to.mkdir()
    tree = subprocess.run(["git", "archive", FIRST_COMMIT], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=to, input=tree.stdout, check=True)
    return {"PYTHONPATH": str(to)}


@contextmanager
def asked_all_through(stack: RunningStack) -> Iterator[Counter[str]]:
    """Whoever looks at lists of all four services, again and again; yields how he was answered."""
    answers: Counter[str] = Counter()
    enough = threading.Event()
    token = stack.people()["auditor"].token

    def ask() -> None:
        with httpx.Client(base_url=Address.read(stack.data).base_url, timeout=30) as client:
            while not enough.is_set():
                for path in [
                    *(f"/{name}/ops/bus" for name in SERVICES),
                    "/intake/api/requests",
                    "/finance/api/receipts",
                ]:
                    try:
                        answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
                        answers[f"{answer.status_code} {path}"] += 1
                    except httpx.TransportError as error:
                        answers[f"{error!r} {path}"] += 1
                time.sleep(0.05)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        enough.set()
        asking.join()


def migrate(stack: RunningStack) -> None:
    """As an operator does it: today's `bianmin prepare` by the owner's URL, with the keys where they are."""
    held = {
        f"BIANMIN_{name.upper().replace('-', '_')}": str(stack.data / name)
        for name in ("keys", "data-keys", "session-keys")
    }
    address = Address.read(stack.data)
    owner = {"BIANMIN_DATABASE_URL": address.database_url, "BIANMIN_BROKER_URL": address.broker_url}
    done = subprocess.run(
        [sys.executable, "-m", "bianmin", "prepare", "--simulate", BEGINS.isoformat()],
        cwd=ROOT,
        env=stack.environment | held | owner | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_first_version_serves_while_the_database_becomes_todays_and_hands_over(
    place: Path, ends_with: ExitStack
) -> None:
    data, old = place / "data", place / "first"
    first = first_version(old)
    arguments = ("--simulate", BEGINS.isoformat())
    with running(data, *arguments, environment=first, cwd=old) as stack:
        port = Address.read(data).base_url.rpartition(":")[2]
        rows = (old / "examples" / "nyc311.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        (place / "rows.csv").write_text("".join(rows[:ROWS]), encoding="utf-8")
        month = subprocess.Popen(
            [
                *(sys.executable, "-c", PATIENT, "month", "--data", str(data)),
                *("--results", str(place / "results"), "--file", str(place / "rows.csv")),
            ],
            cwd=old,
            env=stack.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        def lived_until(moment: datetime) -> None:
            def reached() -> bool:
                return month.poll() is not None or stack.clock() >= moment

            wait_until(f"the month to reach {moment:%d %B}", reached, seconds=900, every=0.2)
            assert month.poll() is None, month.communicate()[0]

        ends_with.callback(month.kill)
        lived_until(MIGRATED)
        with asked_all_through(stack) as answers:
            migrate(stack)
            during = answers.total()
            lived_until(REPLACED)  # the first version works on with today's schema
        assert during > 10
        assert {answer.split(maxsplit=1)[0] for answer in answers} == {"200"}, answers
    with running(data, *arguments, "--port", port) as stack:
        said = month.communicate(timeout=900)[0]  # by the first version's program, which audits what today's exports
        assert month.returncode == 0, said
        for command in (("audit", "2026-04"), ("verify", "--settled"), ("audit-log", "verify")):
            done = stack.bianmin(*command)
            assert done.returncode == 0, done.stdout + done.stderr
    print(f"{during} requests answered while migrating, {answers.total()} until the hand-over, none refused")  # noqa: T201
