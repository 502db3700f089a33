"""PostgreSQL's own programs, and a server on a restored data directory."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bianmin.children import Child, wait_until
from bianmin.engines import postgres_programs, server_user

RECOVERY_SECONDS = 6 * 3600.0
"""How long replaying the log may take; a server that fails says so at once."""


class BackupFailed(Exception):
    """A backup cannot be taken, is not whole, or cannot be restored; the message says why."""


def libpq(url: str) -> tuple[str, dict[str, str]]:
    """How PostgreSQL's programs are told of a database: its address, and the password in the environment.

    Not in the arguments, which everybody on the machine can read.
    """
    parsed = make_url(url).set(drivername="postgresql")
    environment = {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
    return parsed._replace(password=None).render_as_string(), environment


class Programs:
    """The programs in one folder; by default those the product brings."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or postgres_programs(server_user())

    @property
    def major(self) -> int:
        """The major version of PostgreSQL they belong to."""
        return int(self.run("postgres", "--version").split()[2].split(".")[0])

    def run(self, name: str, *arguments: str, env: Mapping[str, str] | None = None, as_server: bool = False) -> str:
        """Run one and return what it printed; raises BackupFailed with its words when it fails."""
        account = pwd.getpwnam(user) if as_server and (user := server_user()) else None
        done = subprocess.run(
            [str(self.folder / name), *arguments],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        if done.returncode:
            raise BackupFailed(f"{name} failed:\n{(done.stderr or done.stdout).strip()}")
        return done.stdout

    @contextlib.contextmanager
    def serving(self, cluster: Path, *, user: str, database: str, options: Mapping[str, str]) -> Iterator[str]:
        """Run a server on a data directory and yield the URL of a database in it, once its recovery has ended.

        Nothing of the cluster's own configuration counts but what the server needs to find its files: nobody but us
        reaches it, it waits for no standby, and archives nothing.

        Raises BackupFailed with the server's words when it ends by itself.
        """
        with self.scratch() as folder:
            (folder / "postgresql.conf").write_text("")
            (folder / "pg_hba.conf").write_text("local all all trust\n")
            safe = {
                "config_file": str(folder / "postgresql.conf"),
                "hba_file": str(folder / "pg_hba.conf"),
                "listen_addresses": "",
                "unix_socket_directories": str(folder),
                "synchronous_standby_names": "",
                "archive_mode": "off",
                "io_method": "sync",
                "shared_preload_libraries": "",
                "hot_standby": "off",  # so that whoever can connect finds the recovery done
            }
            arguments = [part for pair in (safe | dict(options)).items() for part in ("-c", "=".join(pair))]
            log = folder / "log"
            server = Child(
                "postgres", [str(self.folder / "postgres"), "-D", str(cluster), *arguments], log, user=server_user()
            )
            url = f"postgresql+psycopg://{user}@/{database}?host={folder}"
            server.start()
            try:
                wait_until(
                    "the restored server to answer", lambda: not server.alive or _answers(url), seconds=RECOVERY_SECONDS
                )
                if not server.alive:
                    raise BackupFailed(f"the restored server ended:\n{server.tail()}")
                yield url
            finally:
                self._end(server, cluster)

    def _end(self, server: Child, cluster: Path) -> None:
        """Stop it cleanly, however long that takes: what it holds is worth it."""
        if server.alive:
            self.run("pg_ctl", "stop", "-D", str(cluster), "-m", "fast", "-w", "-t", "600", as_server=True)
        server.stop()

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of the server's user alone, removed at the end."""
        folder = Path(tempfile.mkdtemp(prefix="bianmin-"))
        own(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def own(*paths: Path) -> None:
    """Give files and folders to the user the server runs as."""
    user = server_user()
    if user:
        account = pwd.getpwnam(user)
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid)


def own_all(folder: Path) -> None:
    """Give a folder with everything in it to the user the server runs as."""
    own(folder, *folder.rglob("*"))


def rows(url: str, query: str) -> list[dict[str, Any]]:
    """What a database answers to a question about every site."""
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": "-c app.sites=*"})
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query)).mappings()]


def _answers(url: str) -> bool:
    try:
        return not rows(url, "SELECT pg_is_in_recovery() AS recovers")[0]["recovers"]
    except OperationalError:
        return False
