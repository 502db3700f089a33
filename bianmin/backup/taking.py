"""Take a backup: copied from the running server, read back, and only then given its name."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bianmin.backup.programs import BackupFailed, Programs, libpq, rows
from shared.db import SERVICES

ABOUT = "bianmin.json"
NAME = "%Y-%m-%dT%H%M%SZ"
UNFINISHED = ".unfinished"

_SERVER = """
    SELECT clock_timestamp() AS taken_at, current_setting('server_version_num')::int / 10000 AS postgres,
        current_user AS owner, current_database() AS database,
        (SELECT count(*) FROM pg_tablespace) > 2 AS tablespaces,
        (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier
"""


@dataclass(frozen=True)
class Backup:
    """What a backup says of itself, in its file `bianmin.json`."""

    folder: Path
    taken_at: datetime
    """UTC, by the database's clock, when the copy began."""
    bytes: int
    postgres: int
    """The major version of PostgreSQL that wrote it, and alone can read it."""
    system_identifier: str
    """Which cluster it is of."""
    first_wal: str
    """The first file of the log that it needs: what is older serves older backups alone."""
    owner: str
    database: str
    schemas: dict[str, str]
    """Service -> the version of its schema."""
    digests: dict[str, str]
    """File -> its SHA-256, in hexadecimal."""

    @classmethod
    def read(cls, folder: Path) -> "Backup":
        """Raises BackupFailed when the folder holds no finished backup."""
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BackupFailed(f"{folder} is no backup: it has no {ABOUT}") from None
        return cls(**about | {"folder": folder, "taken_at": datetime.fromisoformat(about["taken_at"])})

    def check_whole(self) -> None:
        """Raises BackupFailed when a file is not, bit for bit, what was taken."""
        for name, digest in self.digests.items():
            try:
                found = _digest(self.folder / name)
            except FileNotFoundError:
                raise BackupFailed(f"{self.folder} is not whole: {name} is missing") from None
            if found != digest:
                raise BackupFailed(
                    f"{self.folder / name} is damaged: it is not what was taken at {self.taken_at:%FT%TZ}"
                )

    def write(self) -> None:
        """Keep it in the folder, on the disk."""
        about = asdict(self) | {"taken_at": self.taken_at.isoformat()}
        del about["folder"]
        with (self.folder / ABOUT).open("w", encoding="utf-8") as file:
            json.dump(about, file, indent=1)
            file.flush()
            os.fsync(file.fileno())


def backups_in(folder: Path) -> list[Backup]:
    """The finished backups of a folder, the oldest first."""
    found = (Backup.read(path.parent) for path in folder.glob(f"*/{ABOUT}") if not path.parent.is_symlink())
    return sorted((backup for backup in found if backup.folder.name != UNFINISHED), key=lambda b: b.taken_at)


def newest(folder: Path) -> Backup:
    """The folder itself when it is a backup, else the newest one in it; raises BackupFailed when there is none."""
    if (folder / ABOUT).exists():
        return Backup.read(folder)
    backups = backups_in(folder)
    if not backups:
        raise BackupFailed(f"there is no backup in {folder}")
    return backups[-1]


def take(url: str, to: Path, programs: Programs) -> Backup:
    """Copy the whole cluster of `url` into a new folder in `to`, and read it back.

    Raises BackupFailed when the programs are of another version than the server, another backup is being taken, or
    the copy is not what the server sent.
    """
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    server = rows(url, _SERVER)[0]
    if server["postgres"] != programs.major:
        raise BackupFailed(
            f"the server is PostgreSQL {server['postgres']} and the programs in {programs.folder} are"
            f" {programs.major}: name those of the server with --programs"
        )
    if server.pop("tablespaces"):
        raise BackupFailed("this cluster has tablespaces, which these backups do not carry: use pgBackRest")
    schemas = schema_versions(url)
    with _alone(to):
        half = to / UNFINISHED
        shutil.rmtree(half, ignore_errors=True)  # of a run that was killed
        _copy(url, half, programs)
        files = sorted(half.iterdir())
        size = sum(path.stat().st_size for path in files)
        digests = {path.name: _digest(path) for path in files}
        Backup(half, bytes=size, first_wal=_first_wal(url, half), schemas=schemas, digests=digests, **server).write()
        finished = half.rename(to / server["taken_at"].astimezone(UTC).strftime(NAME))
        _sync(to)
    return Backup.read(finished)


def schema_versions(url: str) -> dict[str, str]:
    """Service -> the version its schema is migrated to."""
    tables = (f"SELECT '{s}' AS service, version_num FROM {s}.alembic_version" for s in SERVICES)  # noqa: S608  # ours
    return {row["service"]: row["version_num"] for row in rows(url, " UNION ALL ".join(tables))}


def _copy(url: str, half: Path, programs: Programs) -> None:
    where, password = libpq(url)
    programs.run(
        "pg_basebackup",
        *("--pgdata", str(half), "--dbname", where, "--no-password"),
        *("--format=tar", "--gzip", "--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256"),
        env=password,
    )
    # the log inside is read when the backup is checked: here it would have to be unpacked
    programs.run("pg_verifybackup", "--format=tar", "--no-parse-wal", "--quiet", str(half))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_wal(url: str, half: Path) -> str:
    manifest = json.loads((half / "backup_manifest").read_text(encoding="utf-8"))
    begins = manifest["WAL-Ranges"][0]["Start-LSN"]
    name: str = rows(url, f"SELECT pg_walfile_name('{begins}') AS name")[0]["name"]
    return name


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup at a time into a folder; the lock of a killed run is free."""
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupFailed(f"another backup is being taken into {folder}") from None
    finally:
        os.close(lock)


def _sync(folder: Path) -> None:
    """The new name is on the disk too."""
    opened = os.open(folder, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)
