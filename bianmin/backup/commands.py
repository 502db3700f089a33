"""`bianmin backup`: what an operator types."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bianmin.backup.checking import check as check_backup
from bianmin.backup.keeping import prune as prune_backups
from bianmin.backup.programs import BackupFailed, Programs
from bianmin.backup.restoring import restore as restore_backup
from bianmin.backup.taking import newest, take
from bianmin.engines import Engines
from bianmin.told import database_of

app = typer.Typer(no_args_is_help=True, help="Take, check, prune and restore backups (see docs/recovery.md).")
console = Console()

Folder = Annotated[Path, typer.Argument(help="the folder of the backups (the newest counts), or one backup")]
Data = Annotated[Path, typer.Option(help="the data folder of the installation", envvar="BIANMIN_DATA")]
Wal = Annotated[Path | None, typer.Option(help="the folder into which pg_receivewal writes the log")]
ProgramsFolder = Annotated[
    Path | None, typer.Option("--programs", help="PostgreSQL's programs, where the server is not of our version")
]


@app.command()
def run(
    to: Annotated[Path, typer.Option(help="the folder of the backups; on another disk than the database")],
    data: Data = Path(".data"),
    programs: ProgramsFolder = None,
) -> None:
    """Copy the running database, read the copy back, and keep it under the moment it was taken."""
    backup = take(database_of(data), to.resolve(), Programs(programs))
    console.print(f"{backup.folder} ({_size(backup.bytes)})", highlight=False, soft_wrap=True)


@app.command()
def check(
    folder: Folder,
    wal: Wal = None,
    max_age_hours: Annotated[float, typer.Option(help="an older backup is a failure")] = 26,
    programs: ProgramsFolder = None,
) -> None:
    """Restore the newest backup into a temporary server, read all of it, recompute what must hold, tell its age."""
    found = check_backup(newest(folder.resolve()), Programs(programs), wal=wal and wal.resolve())
    backup = found.backup
    console.print(
        f"{backup.folder.name}: {_size(backup.bytes)}, {found.age_hours:.1f} h old, restored, read and recomputed",
        highlight=False,
    )
    for what, last in found.newest.items():
        console.print(f"  newest {what}: {last}", highlight=False)
    if found.age_hours > max_age_hours:
        raise BackupFailed(f"the newest backup is {found.age_hours:.1f} h old, more than {max_age_hours:g} h")


@app.command()
def restore(
    folder: Folder,
    *,
    data: Annotated[Path | None, typer.Option(help="a new data folder, for `bianmin up --data`")] = None,
    cluster: Annotated[Path | None, typer.Option(help="instead: the data directory of a PostgreSQL server")] = None,
    wal: Wal = None,
    until: Annotated[
        str, typer.Option(help="the moment to go back to (RFC 3339, with its offset); without it, as far as there is")
    ] = "",
    programs: ProgramsFolder = None,
) -> None:
    """Make a data directory of a backup (and the log received since); nothing that exists is overwritten."""
    moment = datetime.fromisoformat(until) if until else None
    if (data is None) == (cluster is None):
        raise typer.BadParameter("give either --data or --cluster")
    if moment is not None and moment.tzinfo is None:
        raise typer.BadParameter("--until needs its offset from UTC, e.g. 2026-04-01T18:30:00+08:00")
    target = cluster.resolve() if cluster else Engines(data or Path()).cluster
    backup = newest(folder.resolve())
    restore_backup(backup, target, Programs(programs), wal=wal and wal.resolve(), until=moment)
    console.print(f"{backup.folder.name} is restored in {target}", highlight=False, soft_wrap=True)


@app.command()
def prune(
    folder: Annotated[Path, typer.Argument(help="the folder of the backups")],
    wal: Wal = None,
    delete: Annotated[bool, typer.Option("--delete", help="do it; without it they are only named")] = False,
    programs: ProgramsFolder = None,
) -> None:
    """Name (or delete) what is beyond 35 days and 13 months, and the log that serves none of those days."""
    for name in prune_backups(folder.resolve(), Programs(programs), wal=wal and wal.resolve(), delete=delete):
        console.print(f"{'deleted' if delete else 'would delete'} {name}", highlight=False)


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
