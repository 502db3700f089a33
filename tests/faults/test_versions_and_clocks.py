"""Workers with a wrong clock, and workers of two versions at once."""

import glob
import shutil
import time
from pathlib import Path
from random import Random

import pytest

from bianmin.stack import SERVICES
from tests.debian import needs
from tests.faults.house import House

pytestmark = pytest.mark.fault

FAKETIME = {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
"""The clock of the day is another from a second after its file says so; what measures time that passes is not."""

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("wrong", ["-3d", "+2h"])
def test_a_worker_whose_clock_is_wrong_doubles_nothing_and_passes_no_deadline_early(
    house: House, seed: int, orders: int, wrong: str
) -> None:
    needs("faketime", "faketime")
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    chance = Random(f"clock {seed} {wrong}")
    service = SERVICES[(seed - 1) % len(SERVICES)]  # the desk's first: it promises most by the clock
    clock = house.folder / f"clock-{service}"
    clock.write_text("+0")  # right at the start: a worker whose clock is wrong then does not begin to work
    house.become(service, {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(clock)} | FAKETIME)
    try:

        def set_wrong() -> None:
            clock.write_text(wrong)
            time.sleep(chance.uniform(3, 5))

        house.endure(f"clock of one worker {wrong}", seed, set_wrong, bound=30, orders=orders)
        (waiting,) = house.ask(1)
        time.sleep(3)  # three beats of the ticker: that nothing happens can only be watched
        assert not house.is_missed(waiting), "a deadline passed before its time"
        house.clock.pass_minutes(11)
        house.await_heard_by_hr(waiting, 30)
    finally:
        house.become(service, None)


def test_old_and_new_workers_at_once_understand_each_other(
    house: House, seed: int, orders: int, tmp_path: Path
) -> None:
    """In the new version every message has one more optional field; both versions hear both, at first from the old
    web applications, then from the new.
    """
    new = _new_version(tmp_path)
    with house.more_workers(new):
        house.endure(
            "old and new workers, old web", seed, lambda: house.miss_callbacks(5), bound=15, orders=orders // 2
        )
        house.become("web", {"CWD": str(new)})
        house.endure(
            "old and new workers, new web", seed, lambda: house.miss_callbacks(5), bound=15, orders=orders // 2
        )
    assert house.said_with("since_the_new_version") > orders
    house.become("web", None)


def _new_version(folder: Path) -> Path:
    """A copy of the tree whose messages all have one more field, with a default."""
    new = folder / "new"
    for part in ("shared", "services", "bianmin"):
        shutil.copytree(ROOT / part, new / part, ignore=shutil.ignore_patterns("__pycache__"))
    messages = new / "shared" / "messages.py"
    words = messages.read_text(encoding="utf-8")
    routed = "    receivers: ClassVar[tuple[str, ...]]\n"
    assert words.count(routed) == 1
    changed = words.replace(routed, routed + '\n    since_the_new_version: str = "what it adds"\n')
    messages.write_text(changed, encoding="utf-8")
    return new
