"""Child processes that never outlive their parent: started, watched, restarted, and stopped in order."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 10.0
PROGRESS_SECONDS = 10.0
"""A child that has not touched its progress file for so long is stuck."""
GRACE_SECONDS = 60.0
"""So long it may take to touch it for the first time."""


class NeverCame(Exception):
    """Something awaited did not happen in time; the message says what was awaited."""


def wait_until(what: str, ready: Callable[[], bool], *, seconds: float, every: float = 0.02) -> None:
    """Wait until `ready()`; raises NeverCame, naming `what`, when it takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise NeverCame(f"waited {seconds:g} s for {what}")
        time.sleep(every)


def die_with_parent(sig: int) -> Callable[[], None] | None:
    """What a child runs before its program, so that the kernel signals it when its parent is gone (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def before_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, sig)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return before_exec


@dataclass
class Child:
    """A program to keep running; its output goes to `log`, or with its parent's.

    One with a `progress` file is told of it as BIANMIN_PROGRESS_FILE and touches it as long as it makes progress.
    `kills` counts how often it was killed because it did not.
    """

    name: str
    argv: Sequence[str]
    log: Path | None
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    pass_fds: Sequence[int] = ()
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL
    progress: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    kills: int = 0
    _touched: tuple[int, float] = (0, 0.0)

    def start(self) -> None:
        """Start the program, as `user` when given (only root can)."""
        account = pwd.getpwnam(self.user) if self.user else None
        env = {**os.environ, **self.env}
        if self.progress is not None:
            self.progress.parent.mkdir(parents=True, exist_ok=True)
            self.progress.unlink(missing_ok=True)
            env["BIANMIN_PROGRESS_FILE"] = str(self.progress)
            self._touched = (0, time.monotonic())
        with self._output() as output:
            self.process = subprocess.Popen(
                list(self.argv),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/" if account else None,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                pass_fds=self.pass_fds,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children in order
                preexec_fn=die_with_parent(self.orphan_signal),  # noqa: PLW1509  # no threads hold locks here
            )

    @contextlib.contextmanager
    def _output(self) -> Iterator[IO[bytes] | None]:
        if self.log is None:
            yield None
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            yield output

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def stuck(self) -> bool:
        """Whether it runs and has made no progress for too long, by our own steady clock; to be asked again and again.

        Not by the file's age, which a clock that is set forward would change.
        """
        if self.progress is None or not self.alive:
            return False
        touched, since = self._touched
        modified = self.progress.stat().st_mtime_ns if self.progress.exists() else 0
        if modified != touched:
            self._touched = (modified, time.monotonic())
            return False
        return time.monotonic() - since > (PROGRESS_SECONDS if touched else GRACE_SECONDS)

    def kill(self, why: str) -> None:
        """End it at once, and say so where its output goes."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.kills += 1
        line = f'{{"event": "child_killed", "level": "error", "child": "{self.name}", "reason": "{why}"}}\n'
        with self._output() as output:
            (output or sys.stderr.buffer).write(line.encode())
            (output or sys.stderr.buffer).flush()

    def stop(self) -> None:
        """Ask it to end, wait, and kill it when it does not."""
        if self.process is None:
            return
        if self.alive:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process = None

    def tail(self, lines: int = 15) -> str:
        """The end of its log, for an error message."""
        if self.log is None or not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """Keeps children running: whoever is stuck is killed, whoever ends is started again.

    More slowly each time it ends soon.
    """

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        self._stopping = threading.Event()
        self._started_at: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def start(self, *children: Child) -> None:
        """Start these of its children."""
        for child in children:
            self._start(child)

    def _start(self, child: Child) -> None:
        child.start()
        self._started_at[child.name] = time.monotonic()

    def watch(self) -> None:
        """Kill what is stuck, and start again what has ended.

        To be called regularly, from the thread that started the children. (The kernel's parent-death signal follows
        the thread that started a child, so it must be that one.)
        """
        for child in self.children:
            if child.stuck:
                child.kill(f"no progress for {PROGRESS_SECONDS:g} s")
            if child.alive or self._stopping.is_set():
                continue
            moment = time.monotonic()
            if child.name not in self._not_before:
                soon = moment - self._started_at.get(child.name, 0.0) < 5  # 0: started before it was ours
                child.restarts += 1
                self._not_before[child.name] = moment + (min(10.0, 0.5 * child.restarts) if soon else 0)
            if moment >= self._not_before[child.name]:
                del self._not_before[child.name]
                self._start(child)

    def stop(self) -> None:
        """Stop every child at once and wait for all."""
        self._stopping.set()
        for child in self.children:
            if child.alive and child.process is not None:
                child.process.send_signal(child.stop_signal)
        for child in reversed(self.children):
            child.stop()
