"""A PostgreSQL cluster of a test's own, durable as in use, that can be destroyed; and what receives its log."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from bianmin.backup.programs import Programs, own, own_all
from bianmin.children import Child, wait_until
from bianmin.engines import server_user
from bianmin.verify.run import connected, run

RECEIVER = "receiver"


@dataclass
class Cluster:
    """In `folder`: the data directory, the sockets and the log of one server."""

    folder: Path
    programs: Programs = field(default_factory=Programs)
    options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory = self.folder / "cluster"
        self.sockets = self.folder / "run"
        self.sockets.mkdir(parents=True, exist_ok=True)
        own(self.sockets)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "shared_buffers": "64MB",
        } | self.options
        if self.programs.major >= 18:
            options = {"io_method": "sync"} | options
        settings = [part for pair in options.items() for part in ("-c", "=".join(pair))]
        self.server = Child(
            "postgres",
            [str(self.programs.folder / "postgres"), "-D", str(self.directory), *settings],
            log=self.folder / "postgres.log",
            user=server_user(),
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        return self.url_of("bianmin")

    def url_of(self, database: str) -> str:
        port = self.options.get("port", "5432")
        return f"postgresql+psycopg://bianmin@/{database}?host={self.sockets}&port={port}"

    def create(self, *arguments: str) -> None:
        """A new cluster, as `bianmin up` makes it unless it is told otherwise."""
        self.directory.mkdir(mode=0o700)
        own(self.directory)
        as_up_does = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
        self.programs.run(
            "initdb",
            *(f"--pgdata={self.directory}", "--username=bianmin", "--auth=trust"),
            *(arguments or as_up_does),
            as_server=True,
        )

    def copy_of(self, other: "Cluster") -> None:
        """The same as another, which is stopped."""
        shutil.copytree(other.directory, self.directory, symlinks=True)
        own_all(self.directory)

    def start(self) -> None:
        self.server.start()
        wait_until("the server to answer", lambda: not self.server.alive or self._answers(), seconds=60)
        assert self.server.alive, self.server.tail()

    def stop(self) -> None:
        self.server.stop()

    def destroy(self) -> None:
        """Kill every process of it and remove its data directory, as a fire does."""
        assert self.server.process is not None
        os.killpg(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()
        shutil.rmtree(self.directory)

    def engine(self, database: str = "bianmin") -> Engine:
        return create_engine(self.url_of(database), poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def ask(self, question: str, **values: Any) -> Any:
        """The one value an owner is answered."""
        with self.engine().connect() as connection:
            return connection.execute(text(question), values).scalar_one()

    def do(self, *statements: str) -> None:
        """What an owner does, in one session, each statement committed."""
        with self.engine().connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def violated(self) -> set[str]:
        """The invariants that `bianmin verify` finds violated in it."""
        with connected(self.url) as connection:
            return {found.invariant.name for found in run(connection).violated}

    def _answers(self) -> bool:
        try:
            self.engine("postgres").connect().close()
        except OperationalError:
            return False
        return True

    # --- its log, received elsewhere ----------------------------------------------------------------------------

    def receiver(self, wal: Path) -> Child:
        """What writes the log into `wal` as it is made; a slot keeps for it what it has not received yet."""
        wal.mkdir(exist_ok=True)
        program = self.programs.folder / "pg_receivewal"
        where = f"host={self.sockets} user=bianmin application_name={RECEIVER}"
        self.programs.run("pg_receivewal", "--create-slot", "--if-not-exists", "--slot", RECEIVER, "--dbname", where)
        return Child(
            RECEIVER,
            [str(program), "--directory", str(wal), "--synchronous", "--slot", RECEIVER, "--dbname", where],
            log=self.folder / "receiver.log",
            stop_signal=signal.SIGKILL,  # its own machine may end as badly
        )

    @contextmanager
    def receiving(self, wal: Path, *, synchronous: bool = True) -> Iterator[Child]:
        """The log is received in `wal`; when `synchronous`, no commit is acknowledged before it is there."""
        receiver = self.receiver(wal)
        receiver.start()
        try:
            self.await_receiver("streaming")
            self.do(
                f"ALTER SYSTEM SET synchronous_standby_names = '{RECEIVER if synchronous else ''}'",
                "SELECT pg_reload_conf()",
            )
            self.await_receiver("sync" if synchronous else "async")
            yield receiver
        finally:
            receiver.stop()

    def await_receiver(self, state: str) -> None:
        def is_so() -> bool:
            question = "SELECT count(*) FROM pg_stat_replication WHERE application_name = :name"
            return bool(self.ask(f"{question} AND :state IN (state, sync_state)", name=RECEIVER, state=state))

        wait_until(f"the receiver to be {state}", is_so, seconds=60)
