"""`memory`: what a stack at rest holds and does."""

from time import sleep

import psutil

from bianmin.stack import SERVICES
from tests.bench.figure import Figure, await_acknowledged, found_company, fresh_stack, hire
from tests.stack import RunningStack

MIB = 700
QUIET_SECONDS = 10.0


def measure() -> list[Figure]:
    """Resident memory of every process of `bianmin up`, ten quiet seconds after a few requests to an empty company.

    Each process counts its proportional share of shared pages (PSS), so that the sum counts each page once; where the
    system does not tell PSS, resident memory (RSS), which counts shared pages many times. The CPU time those seconds
    took is told in percent of one core.
    """
    with fresh_stack() as stack, stack.client() as client:
        administrator = found_company(stack, client)
        for number in range(5):
            hire(client, administrator, f"工 {number}")
        await_acknowledged(stack)  # from here on every service knows the administrator
        for name in SERVICES:
            client.get(administrator, f"/{name}/ops/bus")
        client.pages(administrator, "/hr/api/people")
        busy = _cpu_seconds(stack)
        sleep(QUIET_SECONDS)  # the quiet is what is measured
        busy = _cpu_seconds(stack) - busy
        held: dict[str, list[float]] = {}
        for process in _processes(stack):
            held.setdefault(_name(process), []).append(_bytes(process) / 2**20)
    parts = [
        Figure(f"memory: {name}" + (f" ({len(parts)} processes)" if len(parts) > 1 else ""), sum(parts), "MiB")
        for name, parts in held.items()
    ]
    total = sum(part.measured for part in parts)
    return [
        Figure("memory", total, "MiB", MIB),
        *parts,
        Figure("memory: CPU at rest", 100 * busy / QUIET_SECONDS, "%"),
    ]


def _processes(stack: RunningStack) -> list[psutil.Process]:
    return [psutil.Process(stack.process.pid), *stack.descendants()]


def _cpu_seconds(stack: RunningStack) -> float:
    """CPU time of all processes so far."""
    times = [process.cpu_times() for process in _processes(stack)]
    return sum(time.user + time.system for time in times)


def _bytes(process: psutil.Process) -> int:
    info = process.memory_full_info()
    return int(getattr(info, "pss", info.rss))


def _name(process: psutil.Process) -> str:
    """What the process is in the stack."""
    words = " ".join(process.cmdline())
    if "postgres" in process.name():
        return "PostgreSQL"
    if "-server" in process.name():
        return "broker"
    if "uvicorn" in words:
        return "web"
    for service in SERVICES:
        if f"services.{service}.worker:celery" in words:
            return f"worker {service}"
    return "bianmin" if " up " in words else words
