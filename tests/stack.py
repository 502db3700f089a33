"""A whole installation run as its users run it: `bianmin up` in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import NullPool, create_engine, text

from bianmin.address import Address
from bianmin.children import wait_until
from bianmin.client import Client, Person
from bianmin.engines import CannotStart, Engines


class RunningStack:
    """An installation under test, in `data`."""

    def __init__(
        self, data: Path, *arguments: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.data = data
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")}
        clean |= environment or {}
        self.environment = clean
        port = () if "--port" in arguments else ("--port", "0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bianmin", "up", "--data", str(data), *port, *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean,
        )

    def await_up(self) -> Address:
        """Wait until it is in use; fails with what it printed when it ended instead."""

        def up_or_ended() -> bool:
            return self.process.poll() is not None or self._is_up()

        wait_until(f"the installation in {self.data} to be up", up_or_ended, seconds=300)
        assert self.process.poll() is None, self.process.communicate()[0]
        return Address.read(self.data)

    def _is_up(self) -> bool:
        try:
            return Address.read(self.data).pid == self.process.pid
        except CannotStart:
            return False

    def descendants(self) -> list[psutil.Process]:
        """Every process it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def worker(self, service: str) -> psutil.Process:
        """The Celery worker of a service."""
        found: list[psutil.Process] = []

        def runs() -> bool:
            found[:] = [p for p in self.descendants() if f"services.{service}.worker:celery" in _command(p)]
            return len(found) == 1

        wait_until(f"the worker of {service} to run", runs, seconds=30)
        return found[0]

    def stop(self) -> int:
        """Ctrl-C, and wait for its end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def destroy(self) -> None:
        """Nothing of it runs any more, and its folder is gone."""
        started = self.descendants()
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=30)
        wait_until("all of it to end", lambda: not any(p.is_running() for p in started), seconds=60)
        shutil.rmtree(self.data)

    def bianmin(self, *arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run another command on it, or on another folder."""
        return subprocess.run(
            [sys.executable, "-m", "bianmin", *arguments, "--data", str(data or self.data)],
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
            timeout=300,
        )

    def everybody(self) -> list[Person]:
        """Everybody who can act in a simulation."""
        people: list[dict[str, Any]] = json.loads((self.data / "people.json").read_text(encoding="utf-8"))
        return [Person(**entry) for entry in people]

    def people(self) -> dict[str, Person]:
        """The first person of each role in a simulation."""
        return {person.role: person for person in reversed(self.everybody())}

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of it."""
        with Client(Address.read(self.data).base_url) as client:
            yield client

    @property
    def broker_url(self) -> str:
        """Its embedded broker, as the administrator."""
        return Engines(self.data).broker_url

    def clock(self) -> datetime:
        """What time it is there."""
        engine = create_engine(Address.read(self.data).database_url, poolclass=NullPool)
        with engine.connect() as connection:
            moment: datetime = connection.execute(text("SELECT installation.clock_now()")).scalar_one()
        return moment


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # it ended since it was listed
        return []


@contextmanager
def running(
    data: Path, *arguments: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[RunningStack]:
    """An installation that is up, and stopped at the end.

    `environment` is added to that of its processes; `cwd`: the tree whose code they run.
    """
    stack = RunningStack(data, *arguments, environment=environment, cwd=cwd)
    try:
        stack.await_up()
        yield stack
    finally:
        stack.stop()
