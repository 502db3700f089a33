"""`python -m tests.parts`: types and the whole suite, in three parts at the same time, on engines of their own.

What breaks and restarts processes mostly waits, and its bounds are promises; the rest computes and is in no hurry. So
two parts fill, at a lower priority, what the first leaves of the machine. Whatever is named nowhere is in the last
part: no test can be in none. What is given as arguments is given to each.
"""

import os
import subprocess
import sys
import threading

WAITS = (
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

PLAYS = (
    "tests/bianmin",
    "tests/money",
    "tests/security/test_permissions.py",
    "tests/security/test_schema_attack.py",
    "tests/simulation",
    "tests/walls",
)
"""What plays months, attacks and mistakes by the thousand: some half of what is computed."""

NICENESS = 10
"""Of what computes."""

NOTHING_COLLECTED = 5
"""How pytest ends when no test is chosen, as by -k: in one of the parts no failure."""


def command(name: str, arguments: list[str]) -> list[str]:
    """What is run under that name."""
    if name == "types":
        return [sys.executable, "-m", "mypy"]
    pytest = [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{name}", *arguments]
    if name == "waits":
        return [*pytest, *WAITS]
    if name == "plays":
        return [*pytest, *PLAYS]
    return [*pytest, *(f"--ignore={path}" for path in (*WAITS, *PLAYS)), "tests"]


class Part:
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
    parts = [Part(name, arguments) for name in ("waits", "types", "plays", "computes")]
    ended = {part.name: part.end() for part in parts}
    chosen = {name for name, status in ended.items() if status != NOTHING_COLLECTED}
    empty = set(ended) - chosen if chosen > {"types"} else set()
    failed = [name for name, status in ended.items() if status and name not in empty]
    sys.stdout.write(f"failed: {', '.join(failed) or 'none'}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
