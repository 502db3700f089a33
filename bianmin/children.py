"""Child processes that never outlive their parent: started, watched, restarted, and stopped in order."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 10.0


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
    """A program to keep running; its output goes to `log`."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    pass_fds: Sequence[int] = ()
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0

    def start(self) -> None:
        """Start the program, as `user` when given (only root can)."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        account = pwd.getpwnam(self.user) if self.user else None
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(self.argv),
                env={**os.environ, **self.env},
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

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self.process is not None and self.process.poll() is None

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
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """Keeps children running: whoever ends is started again, more slowly each time it ends soon."""

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
        """Start again what has ended; to be called regularly from the thread that started the children.

        (The kernel's parent-death signal follows the thread that started a child, so it must be that one.)
        """
        for child in self.children:
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
