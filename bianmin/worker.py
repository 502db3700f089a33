"""`python -m bianmin.worker finance`: a service's worker under its own supervisor, for one container or one unit.

A worker that ends or makes no progress is killed and started again; SIGTERM and SIGINT end it; its exit code 2, which
says that it may not work as things are, is ours. Beside the worker this process costs some 10 MiB: it imports no
library. The worker touches BIANMIN_PROGRESS_FILE, when it is set, as long as it makes progress: for a health check.
"""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from bianmin.children import Child, Supervisor

REFUSED = 2
"""Exit code of a worker that may not work as things are (shared/startup.py)."""
LOOK_SECONDS = 0.5


def worker(service: str, *, place: str, progress: Path, log: Path | None, env: dict[str, str] | None = None) -> Child:
    """The Celery worker of a service as a child to be supervised; `place` tells it from another's in the logs.

    It beats for Flower alone, where BIANMIN_TASK_EVENTS says that there is one.
    """
    told = {**os.environ, **(env or {})}.get("BIANMIN_TASK_EVENTS", "").lower()
    silent = () if told in {"true", "1"} else ("--without-heartbeat",)
    return Child(
        f"worker-{service}",
        [
            *(sys.executable, "-m", "celery", "-A", f"services.{service}.worker:celery", "worker"),
            *("--queues", service, "--hostname", f"{service}@{place}", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", *silent),
        ],
        log=log,
        env=env or {},
        progress=progress,
    )


def main(service: str) -> int:
    """Run the worker until a signal ends it; returns the exit code."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with tempfile.TemporaryDirectory(prefix="bianmin-") as folder:
        progress = Path(os.environ.get("BIANMIN_PROGRESS_FILE") or Path(folder) / "progress")
        child = worker(service, place=os.uname().nodename, progress=progress, log=None)
        supervisor = Supervisor([child])
        supervisor.start(child)
        while not stopping.wait(LOOK_SECONDS):
            if child.process is not None and child.process.poll() == REFUSED:
                return REFUSED
            supervisor.watch()
        supervisor.stop()
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bianmin.worker SERVICE")
    sys.exit(main(sys.argv[1]))
