"""`python -m tests.halves`: types and the whole suite, in two halves at the same time, on engines of their own.

What breaks and restarts processes mostly waits, and its bounds are promises; the rest computes and is in no hurry. So
the second half fills, at a lower priority, what the first leaves of the machine. Whatever is not named in WAITING is in
the second half: no test can be in neither. What is given as arguments is given to both.
"""

import os
import subprocess
import sys
import threading

WAITING = (
    "tests/faults",
    "tests/journeys",
    "tests/recovery",
    "tests/security/test_everywhere.py",
    "tests/shared/test_worker_poison.py",
    "tests/shared/test_worker_startup.py",
    "tests/upgrades/test_upgrade.py",
    "tests/watching/test_live.py",
)
"""What starts, stops and watches the processes of an installation."""

NICENESS = 10
"""Of the half that computes."""

NOTHING_COLLECTED = 5
"""How pytest ends when no test is chosen, as by -k: in one of two halves no failure."""


def command(name: str, arguments: list[str]) -> list[str]:
    """What is run under that name."""
    if name == "types":
        return [sys.executable, "-m", "mypy"]
    pytest = [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{name}", *arguments]
    if name == "waits":
        return [*pytest, *WAITING]
    return [*pytest, *(f"--ignore={path}" for path in WAITING), "tests"]


class Half:
    """One of them, whose lines are printed as they come, behind its name."""

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.name = name
        niceness = 0 if name == "waits" else NICENESS
        self.process = subprocess.Popen(
            command(name, arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.setpriority(os.PRIO_PROCESS, self.process.pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + niceness))
        self._printing = threading.Thread(target=self._print)
        self._printing.start()

    def _print(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            sys.stdout.write(f"{self.name:>8} | {line}")
            sys.stdout.flush()

    def end(self) -> int:
        """Its exit status, when it has ended and all it said is printed."""
        self.process.wait()
        self._printing.join()
        return self.process.returncode


def main() -> int:
    """Run them; says by the exit status whether all went well."""
    arguments = sys.argv[1:]
    halves = [Half(name, arguments) for name in ("waits", "types", "computes")]
    ended = {half.name: half.end() for half in halves}
    one_was_empty = sorted((ended["waits"], ended["computes"])) == [0, NOTHING_COLLECTED]
    failed = [name for name, status in ended.items() if status and not (status == NOTHING_COLLECTED and one_was_empty)]
    sys.stdout.write(f"failed: {', '.join(failed) or 'none'}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
