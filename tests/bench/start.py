"""`start`: from the command to the first request served."""

from pathlib import Path
from statistics import median
from time import perf_counter

import httpx

from tests.bench.figure import Figure
from tests.folders import reachable_folder
from tests.stack import RunningStack

SECONDS = 10
ROUNDS = 3


def measure() -> list[Figure]:
    """Wall time from starting `bianmin up` to the answer of the first request, in the installed environment.

    Each round starts a new data folder (which creates the cluster, the roles and the schemas) and then the same folder
    again; the median of three. The files of the environment are in the system's cache; no process is left running.
    """
    new, existing = [], []
    for _ in range(ROUNDS):
        with reachable_folder() as folder:
            new.append(_start(folder / "data"))
            existing.append(_start(folder / "data"))
    return [
        Figure("start: new data folder", median(new), "s", SECONDS),
        Figure("start: existing data folder", median(existing), "s", SECONDS),
    ]


def _start(data: Path) -> float:
    began = perf_counter()
    stack = RunningStack(data)
    try:
        httpx.get(f"{stack.await_up().base_url}/hr/ready").raise_for_status()
        return perf_counter() - began
    finally:
        stack.stop()
