"""Which backups are kept: of the last 35 days and the last 13 months that have one, the newest of each."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from bianmin.backup.programs import BackupFailed, Programs
from bianmin.backup.taking import Backup, backups_in

DAYS = 35
MONTHS = 13


def superfluous(backups: Sequence[Backup]) -> list[Backup]:
    """Those that may go, the oldest first.

    Days and months that have no backup do not count, so that nothing goes only because time passes and no new
    backup comes.
    """
    newest_first = sorted(backups, key=lambda backup: backup.taken_at, reverse=True)
    kept = set[Path]()
    for part, wanted in (("%Y-%m-%d", DAYS), ("%Y-%m", MONTHS)):
        newest_of = dict[str, Path]()
        for backup in newest_first:
            newest_of.setdefault(backup.taken_at.strftime(part), backup.folder)
        kept.update(list(newest_of.values())[:wanted])
    return [backup for backup in reversed(newest_first) if backup.folder not in kept]


def oldest_daily(backups: Sequence[Backup]) -> Backup:
    """The backup from which on the received log is kept: the oldest of the last 35 days that have one.

    Raises BackupFailed when there is none.
    """
    days = dict[str, Backup]()
    for backup in sorted(backups, key=lambda backup: backup.taken_at, reverse=True):
        days.setdefault(f"{backup.taken_at:%F}", backup)
    if not days:
        raise BackupFailed("there is no backup, so all of the log is kept")
    return list(days.values())[:DAYS][-1]


def prune(folder: Path, programs: Programs, *, wal: Path | None = None, delete: bool = False) -> list[str]:
    """Delete the backups that may go, and the log that serves none of the days; the names of both.

    Without `delete` they are only named. Nothing else in the folders is touched.
    """
    backups = backups_in(folder)
    going = superfluous(backups)
    names = [backup.folder.name for backup in going]
    if wal is not None:
        first = oldest_daily(backups).first_wal
        names += programs.run("pg_archivecleanup", "--dry-run", str(wal), first).split()
        if delete:
            programs.run("pg_archivecleanup", str(wal), first)
    if delete:
        for backup in going:
            shutil.rmtree(backup.folder)
    return names
