"""`bianmin up` on one machine: all it ran is killed and its folder removed; the backup starts in a new folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bianmin.client import Person
from tests.bench.figure import await_acknowledged, found_company, hire
from tests.stack import RunningStack, running

pytestmark = pytest.mark.journey


def backup(*arguments: str) -> str:
    """`bianmin backup …`, which goes well."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")}
    done = subprocess.run(
        [sys.executable, "-m", "bianmin", "backup", *arguments], capture_output=True, text=True, env=clean, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_destroyed_installation_goes_on_from_its_backup_with_an_empty_broker(place: Path) -> None:
    lost = RunningStack(place / "data", "--simulate", "2026-03-31T16:00:00Z")
    lost.await_up()
    with lost.client() as client:
        administrator: Person = found_company(lost, client)
        for number in range(10):
            hire(client, administrator, f"工 {number}")
        backup("run", "--to", str(place / "backups"), "--data", str(lost.data))  # with messages under way
        hire(client, administrator, "forgotten")
    kept_apart = shutil.copy2(lost.data / "data-keys", place / "data-keys")
    lost.destroy()
    assert "restored, read and recomputed" in backup("check", str(place / "backups"))
    backup("restore", str(place / "backups"), "--data", str(place / "new"))
    without_keys = RunningStack(place / "new", "--simulate", "2026-03-31T16:00:00Z")
    said, _ = without_keys.process.communicate(timeout=60)
    assert without_keys.process.returncode == 2
    assert "personal data is sealed by keys that are not at" in said
    shutil.copy2(kept_apart, place / "new" / "data-keys")
    with running(place / "new", "--simulate", "2026-03-31T16:00:00Z") as stack, stack.client() as client:
        await_acknowledged(stack)
        assert len(list(client.pages(administrator, "/hr/api/people"))) == 11
        verified = stack.bianmin("verify", "--settled")
        assert verified.returncode == 0, verified.stdout
