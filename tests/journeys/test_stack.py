"""Starting, stopping and surviving: an installation leaves nothing behind and comes back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from bianmin.broker_accounts import WEB
from bianmin.children import wait_until
from bianmin.client import Person
from bianmin.engines import Engines, others_can_reach
from services.hr.api.throttle import OF_AN_ACCOUNT
from shared.limits import Counter
from tests.stack import RunningStack, running

pytestmark = pytest.mark.journey


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_two_installations_run_at_once_and_ctrl_c_leaves_no_process_behind(place: Path) -> None:
    with running(place / "one") as one, running(place / "two") as two:
        addresses = {stack.await_up().base_url for stack in (one, two)}
        assert len(addresses) == 2
        started = one.descendants() + two.descendants()
        assert len(started) >= 2 * 7
        assert one.stop() == 0
        assert httpx.get(f"{two.await_up().base_url}/intake/ready").json()["state"] == "ready"
        assert two.stop() == 0
    wait_until("every process to be gone", lambda: gone(started), seconds=30)
    assert not (place / "one" / "address.json").exists()


def test_after_a_kill_9_everything_ends_and_the_next_start_finds_what_was_committed(place: Path) -> None:
    data = place / "killed"
    stack = RunningStack(data)
    address = stack.await_up()
    started = stack.descendants()
    with stack.client() as client:
        made = client.post(None, "/hr/api/company", secret=address.founder_secret, name="便民", administrator="周宁")
    stack.process.send_signal(signal.SIGKILL)
    stack.process.communicate(timeout=30)
    wait_until("its children to end with it", lambda: gone(started), seconds=30)
    with running(data) as again, again.client() as client:
        administrator = Person(made["person_id"], "周宁", "administrator", made["token"])
        (person,) = client.pages(administrator, "/hr/api/people")
        assert person["name"] == "周宁"


def test_a_restart_gives_nobody_new_guesses_of_passwords(place: Path) -> None:
    engines = Engines(place / "data")
    for forgotten in (True, False):
        engines.start()
        try:
            web = Counter(engines.broker_url_of(WEB))
            assert [web.hit(OF_AN_ACCOUNT, "zhou") for _ in range(10)] == [forgotten] * 10
        finally:
            engines.stop()


@pytest.mark.skipif(
    os.geteuid() != 0 or not others_can_reach(Path(sys.executable).resolve()),
    reason="only root can become another user, and that user must reach this Python",
)
def test_an_ordinary_user_runs_it_too(place: Path) -> None:
    """As `nobody`, in a folder of his own; this very suite runs as root, where PostgreSQL refuses to."""
    os.chown(place, 65534, 65534)
    code = (
        "import sys, pathlib; from bianmin.engines import Engines\n"
        "e = Engines(pathlib.Path(sys.argv[1])); e.start(); print(e.database_url); e.stop()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(place / "data")],
        capture_output=True,
        text=True,
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(place) in done.stdout
