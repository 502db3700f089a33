"""Check a backup the only way that counts: restore it, read all of it, and recompute what must hold."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bianmin.backup.programs import BackupFailed, Programs, libpq, rows
from bianmin.backup.restoring import restore
from bianmin.backup.taking import Backup, schema_versions

DRILL = "restored"
"""An empty file in a backup's folder: it was restored and found good when this was touched."""

_LAST = """
    SELECT clock_timestamp() AS now,
        (SELECT number FROM finance.receipts WHERE issued_at IS NOT NULL
         ORDER BY issued_at DESC, number DESC LIMIT 1) AS receipt,
        (SELECT max(at) FROM finance.journals) AS journal,
        (SELECT max(published_at) FROM (
            SELECT published_at FROM intake.outbox UNION ALL SELECT published_at FROM dispatch.outbox
            UNION ALL SELECT published_at FROM finance.outbox UNION ALL SELECT published_at FROM hr.outbox
        ) AS messages) AS message
"""


@dataclass(frozen=True)
class Checked:
    """A backup that was restored, and what was found in it."""

    backup: Backup
    age_hours: float
    newest: dict[str, str]
    """What the last of each was: of receipts the number, of other things the moment (UTC)."""


def check(backup: Backup, programs: Programs, *, wal: Path | None = None) -> Checked:
    """Restore it into a temporary cluster; every page, index and invariant is looked at there.

    Raises BackupFailed when it cannot be restored, is damaged, is not what it says it is, or does not add up.
    """
    with programs.scratch() as folder:
        cluster = folder / "cluster"
        restore(backup, cluster, programs, wal=wal)
        with programs.serving(cluster, user=backup.owner, database=backup.database, options={}) as url:
            programs.run("pg_amcheck", "--install-missing", "--heapallindexed", "--no-password", libpq(url)[0])
            _check_schemas(backup, url)
            recheck(url)
            found = _found(backup, url)
    with contextlib.suppress(OSError):  # on a medium that is only read: the doctor then knows of no drill
        (backup.folder / DRILL).touch()
    return found


def last_drill(folder: Path) -> datetime | None:
    """When a backup of this folder was last found good by restoring it (UTC); None: never."""
    drills = [path.stat().st_mtime for path in folder.glob(f"*/{DRILL}")]
    return datetime.fromtimestamp(max(drills), UTC) if drills else None


def _check_schemas(backup: Backup, url: str) -> None:
    found = schema_versions(url)
    if found != backup.schemas:
        raise BackupFailed(f"the backup says its schemas are {backup.schemas}, and holds {found}")


def recheck(url: str) -> None:
    """Recompute the invariants as `bianmin verify` does; raises BackupFailed when one is violated."""
    done = subprocess.run(
        [sys.executable, "-m", "bianmin.verify"],
        env={**os.environ, "BIANMIN_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"what must hold does not hold in it:\n{(done.stdout or done.stderr).strip()}")


def _found(backup: Backup, url: str) -> Checked:
    last = rows(url, _LAST)[0]
    age = last.pop("now") - backup.taken_at
    return Checked(backup, age.total_seconds() / 3600, {what: str(value) for what, value in last.items()})
