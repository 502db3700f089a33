"""`bianmin backup` as an operator types it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bianmin.backup.programs import BackupFailed
from bianmin.backup.restoring import restore
from bianmin.backup.taking import Backup
from tests.folders import reachable_folder
from tests.recovery.cluster import Cluster
from tests.recovery.contents import contents
from tests.recovery.desk import Desk


def bianmin(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type it, on the cluster as a real server."""
    environment = {**os.environ, "BIANMIN_DATABASE_URL": cluster.url, "BIANMIN_BROKER_URL": "redis://nowhere"}
    return subprocess.run(
        [sys.executable, "-m", "bianmin", "backup", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def well(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_sequences(found: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL logs a sequence 32 numbers ahead, so a recovered one may leave a gap; it never goes back."""
    return {part: value for part, value in found.items() if part != "sequences"}


def backup_of(cluster: Cluster, backups: Path) -> Path:
    well(bianmin(cluster, "run", "--to", str(backups)))
    return max(path for path in backups.iterdir() if path.name[0].isdigit())


def test_a_backup_whose_books_do_not_add_up_fails_its_check(cluster: Cluster, desk: Desk, place: Path) -> None:
    desk.take(4)
    cluster.do(
        "SET session_replication_role = replica",
        "UPDATE finance.journal_lines SET amount_fen = amount_fen + 1 WHERE amount_fen = 10000",
    )
    backup_of(cluster, place / "backups")
    done = bianmin(cluster, "check", str(place / "backups"))
    assert done.returncode == 1
    assert "what must hold does not hold in it" in done.stderr
    assert "journals_balance" in done.stderr


def test_back_to_the_moment_before_a_disaster_with_the_last_receipt_before_it(
    cluster: Cluster, desk: Desk, place: Path
) -> None:
    """An owner of the database can do anything, and did."""
    with cluster.receiving(place / "wal"):
        desk.take(4)
        backup_of(cluster, place / "backups")
        desk.take(4)
        before, moment = without_sequences(contents(cluster)), cluster.ask("SELECT clock_timestamp()")
        cluster.do(
            "SET session_replication_role = replica",
            "DELETE FROM finance.journal_lines",
            "DELETE FROM finance.receipts WHERE state = 'used'",
        )
        assert desk.held() == {}
        cluster.stop()
    cluster.directory.rename(place / "evidence")
    restoring = ("restore", str(place / "backups"), "--cluster", str(cluster.directory), "--wal", str(place / "wal"))
    well(bianmin(cluster, *restoring, "--until", moment.isoformat()))
    cluster.start()
    assert desk.held() == desk.acknowledged
    assert len(desk.acknowledged) == 8
    assert without_sequences(contents(cluster)) == before
    again = bianmin(cluster, *restoring)
    assert again.returncode == 1
    assert "is not empty: move it away first" in " ".join(again.stderr.split())


@pytest.fixture(scope="module")
def whole(prepared: Cluster) -> Iterator[Path]:
    """A backup of an empty installation, to be damaged in copies."""
    with reachable_folder() as folder:
        cluster = Cluster(folder / "main")
        cluster.copy_of(prepared)
        cluster.start()
        yield backup_of(cluster, folder / "backups")
        cluster.stop()


def flip(path: Path) -> None:
    """One bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_head(path: Path) -> None:
    """One bit near the beginning of a file: of an archive, in a header that gzip does not look at."""
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    """The second half of a file is missing."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [flip, flip_head, cut, Path.unlink], ids=["one bit", "head", "cut", "missing"])
@pytest.mark.parametrize("name", ["base.tar.gz", "pg_wal.tar.gz", "backup_manifest"])
def test_a_damaged_backup_is_found_out_and_never_becomes_a_data_directory(
    whole: Path, prepared: Cluster, place: Path, name: str, damage: Callable[[Path], None]
) -> None:
    broken = place / whole.name
    shutil.copytree(whole, broken)
    damage(broken / name)
    with pytest.raises(BackupFailed):
        restore(Backup.read(broken), place / "restored", prepared.programs)
    assert not (place / "restored").exists()


def test_a_gap_in_the_received_log_is_told_and_not_taken_for_its_end(cluster: Cluster, desk: Desk, place: Path) -> None:
    with cluster.receiving(place / "wal"):
        backup_of(cluster, place / "backups")
        for _ in range(3):
            desk.take(1)
            cluster.do("SELECT pg_switch_wal()")
        desk.take(1)
        cluster.stop()
    (*_, missing, _, _) = sorted(path for path in (place / "wal").iterdir() if not path.name.endswith(".history"))
    missing.unlink()
    restoring = ("restore", str(place / "backups"), "--cluster", str(place / "restored"), "--wal", str(place / "wal"))
    done = bianmin(cluster, *restoring)
    assert done.returncode == 1
    assert "is missing or damaged right after" in " ".join(done.stderr.split())
    assert not (place / "restored").exists()
    too_late = bianmin(cluster, *restoring, "--until", "2099-01-01T00:00:00Z")
    assert too_late.returncode == 1
    assert "recovery ended before configured recovery target was reached" in " ".join(too_late.stderr.split())
    assert not (place / "restored").exists()
