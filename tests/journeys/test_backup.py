"""A month that was lived is backed up, checked, lost, restored and audited [promise 30]."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bianmin.exports import read_exports
from tests.journeys.conftest import LivedMonth
from tests.stack import running

pytestmark = pytest.mark.journey


def backup(*arguments: str) -> str:
    """`bianmin backup …`, which goes well."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")}
    done = subprocess.run(
        [sys.executable, "-m", "bianmin", "backup", *arguments], capture_output=True, text=True, env=clean, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_months_backup_is_checked_and_restored_beside_an_empty_broker_and_audited_to_the_fen(
    lived_month: LivedMonth, place: Path
) -> None:
    backup("run", "--to", str(place / "backups"), "--data", str(lived_month.stack.data))
    assert "restored, read and recomputed" in backup("check", str(place / "backups"))
    backup("restore", str(place / "backups"), "--data", str(place / "restored"))
    for kept_apart in ("people.json", "data-keys"):
        shutil.copy2(lived_month.stack.data / kept_apart, place / "restored" / kept_apart)
    with running(place / "restored", "--simulate", lived_month.stack.clock().isoformat()) as stack:
        audit = stack.bianmin("audit", "2026-04")
        assert audit.returncode == 0, audit.stdout
        verify = stack.bianmin("verify", "--settled")
        assert verify.returncode == 0, verify.stdout
        with stack.client() as client:
            assert read_exports(client, stack.people()["auditor"], "2026-04") == lived_month.exports
