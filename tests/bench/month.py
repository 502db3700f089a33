"""`month`: the bundled 500 requests, lived and audited."""

from time import perf_counter

from bianmin.cli import MONTH_BEGINS
from bianmin.stack import SERVICES
from tests.bench.figure import Figure, fresh_stack

SECONDS = 120


def measure() -> list[Figure]:
    """Wall time of the command `bianmin month` in a fresh simulation, from its start to its exit.

    Messages are outbox rows, one for each receiver; HTTP calls are counted in the web process's log.
    """
    with fresh_stack("--simulate", MONTH_BEGINS) as stack:
        began = perf_counter()
        done = stack.bianmin("month", "--results", str(stack.data / "results"))
        seconds = perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"the month was not lived:\n{done.stdout}{done.stderr}")
        calls = (stack.data / "logs" / "web.log").read_text(encoding="utf-8").count('"http_request"')
        operator = stack.people()["operator"]
        with stack.client() as client:
            messages = sum(client.get(operator, f"/{name}/ops/bus")["published"] for name in SERVICES)
    return [
        Figure("month", seconds, "s", SECONDS),
        Figure("month: messages", messages, ""),
        Figure("month: messages handled", messages / seconds, "/s"),
        Figure("month: HTTP calls", calls, ""),
        Figure("month: HTTP calls served", calls / seconds, "/s"),
    ]
