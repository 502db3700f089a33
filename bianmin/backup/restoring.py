"""Restore a backup: unpacked, verified file by file, brought to the moment asked for, and only then in its place."""

import os
import re
import shutil
import tarfile
from datetime import datetime
from pathlib import Path

from bianmin.backup.programs import BackupFailed, Programs, own, own_all, rows
from bianmin.backup.taking import Backup

RECEIVED = "received_wal"
"""Where the log that was received lies in the data directory while it is replayed."""

_LOG = re.compile(r"[0-9A-F]{24}(\.partial)?")


def restore(
    backup: Backup, cluster: Path, programs: Programs, *, wal: Path | None = None, until: datetime | None = None
) -> None:
    """Make `cluster` the data directory of a server that was stopped cleanly, at the end of what is known of it.

    Without `wal` it stands where the backup was taken; with the folder pg_receivewal wrote, where that ends; with
    `until`, just after the last transaction committed by then. Nothing is left at `cluster` unless all went well.

    Raises BackupFailed when something is there already, the versions differ, a file or the log is damaged, or the
    log does not reach back to the backup or forward to `until`.
    """
    if cluster.exists() and any(cluster.iterdir()):
        raise BackupFailed(f"{cluster} is not empty: move it away first, you may still need it")
    if backup.postgres != programs.major:
        raise BackupFailed(
            f"this backup is of PostgreSQL {backup.postgres} and the programs in {programs.folder} are"
            f" {programs.major}: name those of the backup with --programs"
        )
    if until is not None and wal is None:
        raise BackupFailed("to restore to a moment, name the folder of the received log with --wal")
    if until is not None and until < backup.taken_at:
        raise BackupFailed(f"this backup was taken at {backup.taken_at:%FT%TZ}, after {until:%FT%T%:z}: take an older")
    half = cluster.with_name(cluster.name + ".restoring")
    shutil.rmtree(half, ignore_errors=True)  # of a run that was killed
    half.mkdir(parents=True, mode=0o700)
    _unpack(backup, half, programs)
    last = _receive(half, wal, first=backup.first_wal)
    (half / "recovery.signal").touch()
    own_all(half)
    options = {"restore_command": f"cp {RECEIVED}/%f %p", "recovery_target_timeline": "latest"}
    if until is not None:
        options |= {"recovery_target_time": until.isoformat(), "recovery_target_action": "promote"}
    with programs.serving(half, user=backup.owner, database=backup.database, options=options) as url:
        if last and until is None:
            _check_reached(url, half, last)
    shutil.rmtree(half / RECEIVED)
    _give_to_neighbours(half)
    if cluster.exists():
        cluster.rmdir()
    half.rename(cluster)


def _unpack(backup: Backup, half: Path, programs: Programs) -> None:
    backup.check_whole()
    for name, folder in (("base", half), ("pg_wal", half / "pg_wal")):
        with tarfile.open(backup.folder / f"{name}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    shutil.copyfile(backup.folder / "backup_manifest", half / "backup_manifest")
    half.chmod(0o700)
    programs.run("pg_verifybackup", "--quiet", str(half))


def _receive(half: Path, wal: Path | None, *, first: str) -> str:
    """Copy what was received since the backup began to where the server finds it; the name of its last file, or ''.

    The last one is still being written to, and is called partial: what it has counts.
    """
    received = half / RECEIVED
    received.mkdir()
    last = ""
    for path in sorted(wal.iterdir()) if wal else ():
        name = path.name.removesuffix(".partial")
        if path.name.endswith(".history") or (_LOG.fullmatch(path.name) and name[8:] >= first[8:]):
            shutil.copyfile(path, received / name)
            last = last if path.name.endswith(".history") else name
    return last


def _check_reached(url: str, half: Path, last: str) -> None:
    """Where a file of the log is missing or damaged, PostgreSQL ends the recovery and calls it done; we do not."""
    history = max((half / "pg_wal").glob("*.history"))
    ended = history.read_text().split("\n")[-2].split("\t")[1]
    behind = f"""
        SELECT (pg_split_walfile_name('{last}')).segment_number
            - (pg_split_walfile_name(pg_walfile_name('{ended}'::pg_lsn - 1))).segment_number AS behind
    """
    if rows(url, behind)[0]["behind"] > 1:  # the very last file may hold nothing whole
        raise BackupFailed(
            f"the received log goes on to {last}, and is missing or damaged right after {ended}; to restore what comes"
            " before that, take the files after it away"
        )


def _give_to_neighbours(half: Path) -> None:
    """Whoever the folder around it belongs to runs the server there (in a container: PostgreSQL's own user)."""
    around = half.parent.stat()
    if os.geteuid() == 0 and around.st_uid != 0:
        for path in (half, *half.rglob("*")):
            os.chown(path, around.st_uid, around.st_gid, follow_symlinks=False)
    else:
        own(half)
