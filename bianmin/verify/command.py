"""The command `bianmin verify`, and what it says.

It imports neither the services nor what they stand on: as a nightly run it lives a moment, and costs no memory.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import psycopg
import structlog
import typer

from bianmin.address import Address
from bianmin.engines import CannotStart
from bianmin.verify import audit_logs
from bianmin.verify.run import Report, connected, run, run_if_due
from bianmin.verify.run import verify as look_at

LOOK_SECONDS = 300.0
"""How often `--nightly` asks whether a run is due."""

Data = Annotated[Path, typer.Option(help="the data folder of the installation", envvar="BIANMIN_DATA")]
Settled = Annotated[bool, typer.Option("--settled", help="also that nothing is under way, as after a fault run")]
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
IfDue = Annotated[
    bool, typer.Option("--if-due", help="only when none has run since 03:00, for whoever runs it nightly")
]
Nightly = Annotated[bool, typer.Option("--nightly", help="stay, and verify each night")]


def verify(
    data: Data = Path(".data"),
    settled: Settled = False,
    json_: AsJson = False,
    if_due: IfDue = False,
    nightly: Nightly = False,
) -> None:
    """Recompute every invariant of the books and the bus in the database; the exit code names the first violated.

    0: all hold. 10 and up: the invariant's own code, the same for ever. 1: the database cannot be read. 2: wrong use.
    """
    if (if_due or nightly) and (settled or json_):
        raise typer.BadParameter("--if-due and --nightly look at what holds at any time, and write a log")
    url = os.environ.get("BIANMIN_DATABASE_URL") or Address.read(data).database_url
    if nightly:
        _every_night(url)
        return
    with connected(url) as connection:
        report = run_if_due(connection) if if_due else run(connection, settled=settled)
    if if_due:
        _log(report)
    elif json_:
        print(json.dumps(as_json(report), ensure_ascii=False, indent=1))
    else:
        _say(report)
    if report:
        raise typer.Exit(report.exit_code)


def verify_audit_logs(data: Data = Path(".data")) -> None:
    """Recompute the chains of the four audit logs: one changed byte is found, and its entry named."""
    url = os.environ.get("BIANMIN_DATABASE_URL") or Address.read(data).database_url
    with connected(url) as connection:
        report = look_at(connection, of=audit_logs.INVARIANTS)
    _say(report)
    raise typer.Exit(report.exit_code)


def as_json(report: Report | None) -> dict[str, object]:
    """A report for machines."""
    if report is None:
        return {}
    return {
        "at": report.at.isoformat(),
        "seconds": round(report.seconds, 3),
        "looked": report.looked,
        "violated": [
            {
                "code": found.invariant.code,
                "invariant": found.invariant.name,
                "must": found.invariant.must,
                "count": found.count,
                "shown": found.shown,
            }
            for found in report.violated
        ],
    }


def _say(report: Report | None) -> None:
    if report is None:
        return
    for found in report.violated:
        print(f"✗ {found.invariant.code} {found.invariant.name}: {found.count} against: {found.invariant.must}")
        for what in found.shown:
            print(f"    {what}")
    held = report.looked - len(report.violated)
    print(f"{held} of {report.looked} invariants hold at {report.at:%Y-%m-%d %H:%M:%SZ} ({report.seconds:.1f} s)")


def _log(report: Report | None) -> None:
    """An error event for each invariant violated; the sentences name rows and sums, never people."""
    if report is None:
        return
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    log = structlog.get_logger()
    for found in report.violated:
        log.error("invariant_violated", invariant=found.invariant.name, count=found.count, shown=found.shown)
    log.info("verified", at=report.at.isoformat(), seconds=round(report.seconds, 3), violated=len(report.violated))


def _every_night(url: str) -> None:
    """Until it is told to end; a violation is logged and does not end it."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    while not stopping.is_set():
        with connected(url) as connection:
            _log(run_if_due(connection))
        stopping.wait(LOOK_SECONDS)


def main() -> None:
    """`python -m bianmin.verify`: the command alone."""
    try:
        typer.run(verify)
    except (CannotStart, psycopg.Error) as error:
        print(f"bianmin: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, CannotStart) else 1)
