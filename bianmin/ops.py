"""`bianmin status` and `bianmin ops`: what operators see and do of messages, workers and ticks, through the API.

The same as their page: whoever may watch sees it, an operator alone retries and discards, and the audit log says who.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bianmin.address import Address
from bianmin.client import Client, Person
from bianmin.exports import SERVICES
from bianmin.people import Data, Token, person_of
from shared.broker import queue_lengths

app = typer.Typer(no_args_is_help=True, help="Messages, workers and ticks; retry or discard what is parked.")
console = Console(width=None if sys.stdout.isatty() else 120)

Service = Annotated[str, typer.Argument(help="intake, dispatch, finance or hr")]
Message = Annotated[str, typer.Argument(help="the id of the parked message, as `bianmin ops parked` shows it")]


def status(data: Data = Path(".data"), token: Token = "") -> None:
    """How messages, workers and deadlines of the four services stand, and what needs help."""
    client, watcher = _asking(data, token)
    seen = _seen(client, watcher)
    _show_queues(data, seen)
    _show_workers(seen)
    _show_ticks(seen)
    console.print(_verified(client.get(watcher, "/finance/ops/verification")), highlight=False, markup=False)
    _show_parked(client, watcher)


@app.command()
def queues(data: Data = Path(".data"), token: Token = "") -> None:
    """Messages of each service: under way, queued at the broker, waiting, parked, unreadable."""
    _show_queues(data, _seen(*_asking(data, token)))


@app.command()
def workers(data: Data = Path(".data"), token: Token = "") -> None:
    """The workers of each service: running, stuck, or gone."""
    _show_workers(_seen(*_asking(data, token)))


@app.command()
def ticks(data: Data = Path(".data"), token: Token = "") -> None:
    """What happens by the clock: open and overdue deadlines, and when each tick last acted."""
    _show_ticks(_seen(*_asking(data, token)))


@app.command()
def parked(data: Data = Path(".data"), token: Token = "") -> None:
    """Messages that need help, each with its reason."""
    if not _show_parked(*_asking(data, token)):
        console.print("no message is parked")


@app.command()
def retry(service: Service, message: Message, data: Data = Path(".data"), token: Token = "") -> None:
    """Have a parked message tried once more."""
    client, operator = _asking(data, token, service)
    client.post(operator, f"/{service}/ops/parked/{message}/retry")
    console.print(f"{service} tries {message} once more", highlight=False)


@app.command()
def discard(
    service: Service,
    message: Message,
    reason: Annotated[str, typer.Option(help="why it may be given up; kept with the message and in the audit log")],
    data: Data = Path(".data"),
    token: Token = "",
) -> None:
    """Give a parked message up: it will never take effect."""
    client, operator = _asking(data, token, service)
    client.post(operator, f"/{service}/ops/parked/{message}/discard", reason=reason)
    console.print(f"{service} has given {message} up", highlight=False)


def _asking(data: Path, token: str, service: str = SERVICES[0]) -> tuple[Client, Person]:
    if service not in SERVICES:
        raise typer.BadParameter(f"{service} is none of {', '.join(SERVICES)}")
    return Client(Address.read(data).base_url), person_of(data, token, "operator")


def _seen(client: Client, watcher: Person) -> dict[str, dict[str, Any]]:
    return {name: client.get(watcher, f"/{name}/ops/bus") for name in SERVICES}


def _show_queues(data: Path, seen: dict[str, dict[str, Any]]) -> None:
    queued = queue_lengths(Address.read(data).broker_url, SERVICES)
    table = Table("service", "published", "unacknowledged", "queued", "waiting", "parked", "unreadable", "oldest s")
    for name, bus in seen.items():
        counted = bus | {"queued": "broker away" if queued is None else queued[name]}
        parts = ("published", "unacknowledged", "queued", "waiting", "parked", "unreadable")
        table.add_row(name, *(str(counted[part]) for part in parts), f"{bus['oldest_unacknowledged_seconds']:.1f}")
    console.print(table)


def _show_workers(seen: dict[str, dict[str, Any]]) -> None:
    table = Table("service", "worker", "state", "deliveries", "started", "seen s ago")
    for name, bus in seen.items():
        for one in bus["workers"]:
            when = (one["started_at"][:19] + "Z", f"{one['unseen_seconds']:.0f}")
            table.add_row(name, one["name"], one["state"], str(one["deliveries"]), *when)
        if not bus["workers"]:
            table.add_row(name, "none was seen in the last hour", "gone")
    console.print(table)


def _show_ticks(seen: dict[str, dict[str, Any]]) -> None:
    table = Table("service", "deadline", "open", "overdue", "oldest due", "last acted")
    for name, bus in seen.items():
        for line in bus["deadlines"]:
            counts = (str(line[part]) for part in ("open", "overdue"))
            table.add_row(name, line["kind"], *counts, line["oldest_due"] or "", (line["ran_at"] or "never")[:19])
    console.print(table)


def _show_parked(client: Client, watcher: Person) -> int:
    count = 0
    for name in SERVICES:
        for message in client.pages(watcher, f"/{name}/ops/received", state="parked"):
            count += 1
            line = f"{name} parked {message['type']} {message['id']}: {message['reason']}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    return count


def _verified(last: dict[str, Any] | None) -> str:
    """What the verifier saw last, in words."""
    if last is None:
        return "the invariants were never verified: `bianmin verify` does"
    violated = [f"{name} ({count})" for name, count in last["violations"].items() if count]
    what = f"violated: {', '.join(violated)}; see `bianmin verify`" if violated else "all hold"
    return f"{len(last['violations'])} invariants verified at {last['at']}: {what}"
