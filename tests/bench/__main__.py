"""Measure, show, and fail when a limit is exceeded.

python -m tests.bench                     all
python -m tests.bench message memory      these
"""

import argparse
import json
import os
import platform
import signal
import sys
from dataclasses import asdict
from importlib.util import cache_from_source
from pathlib import Path

import celery
from rich.console import Console
from rich.table import Table

from tests.bench import backlog, deadlines, login, memory, message, month, order, receipt, start
from tests.bench.figure import Figure

MEASUREMENTS = {
    "month": month.measure,
    "message": message.measure,
    "memory": memory.measure,
    "start": start.measure,
    "backlog": backlog.measure,
    "deadlines": deadlines.measure,
    "receipt": receipt.measure,
    "order": order.measure,
    "login": login.measure,
}

RESULT = Path("results/bench.json")

console = Console(width=None if sys.stdout.isatty() else 100)


def main() -> int:
    """The exit code: 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(MEASUREMENTS)}; all by default")
    names: list[str] = parser.parse_args().names or list(MEASUREMENTS)
    if unknown := set(names) - set(MEASUREMENTS):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every stack is stopped
    figures: list[Figure] = []
    machine = _machine() | {"load before": _load()}
    for name in names:
        console.print(f"measuring {name} …", highlight=False)
        figures += MEASUREMENTS[name]()
    machine["load after"] = _load()
    _show(figures)
    console.print(", ".join(f"{what}: {value}" for what, value in machine.items()), highlight=False)
    RESULT.parent.mkdir(exist_ok=True)
    lines = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
    RESULT.write_text(json.dumps({"machine": machine, "figures": lines}, indent=1) + "\n", encoding="utf-8")
    return int(any(figure.exceeded for figure in figures))


def _machine() -> dict[str, str | float]:
    """What the figures depend on, beside the load: where no bytecode is kept, each process compiles what it imports."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cores": os.cpu_count() or 0,
        "packages": "compiled" if Path(cache_from_source(celery.__file__)).exists() else "not compiled",
    }


def _load() -> float:
    """Above the number of cores, others were at work too: before is theirs alone, after is theirs and ours."""
    return round(os.getloadavg()[0], 2)


def _show(figures: list[Figure]) -> None:
    table = Table("figure")
    for heading in ("measured", "limit", "ratio to the limit"):
        table.add_column(heading, justify="right")
    for figure in figures:
        limit = _limit(figure)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        style = "red" if figure.exceeded else "green" if limit else None
        table.add_row(figure.name, f"{_digits(figure.measured)} {figure.unit}".strip(), limit, ratio, style=style)
    console.print(table)


def _limit(figure: Figure) -> str:
    if figure.at_least is not None:
        return f"≥ {figure.at_least:,g} {figure.unit}".strip()
    return "" if figure.limit is None else f"{figure.limit:,g} {figure.unit}".strip()


def _digits(value: float) -> str:
    """Three significant digits, and whole numbers whole."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
