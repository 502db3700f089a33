"""`bianmin`: the commands people type. Exit codes: 0 well, 1 something does not agree, 2 wrong use (see `verify`)."""

import contextlib
import json
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated

import httpx
import psycopg
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from bianmin.address import Address
from bianmin.audit import audit as run_audit
from bianmin.backup.commands import app as backup
from bianmin.backup.programs import BackupFailed
from bianmin.children import NeverCame
from bianmin.client import Client, Person, Refused
from bianmin.doctor.command import doctor
from bianmin.engines import CannotStart
from bianmin.exports import SERVICES, read_exports
from bianmin.flower import flower
from bianmin.importing.mapping import BadMapping, read_mapping
from bianmin.importing.sending import import_table, map_rows, open_table
from bianmin.keys import app as keys
from bianmin.keys import make_missing
from bianmin.month.cast import Cast, cast_of, found_company
from bianmin.month.morning import WAITING, Morning
from bianmin.month.play import Play
from bianmin.month.quiet import MessageParked, NotASimulation, World
from bianmin.month.result import show, summarise, write_files
from bianmin.month.stage import PlayedWrong
from bianmin.ops import app as ops
from bianmin.ops import status
from bianmin.people import Data, Token, people_of, person_of
from bianmin.privacy import data_key, person
from bianmin.signing_in import create_admin, rotate_session_key
from bianmin.stack import Stack
from bianmin.told import owners_database
from bianmin.verify.command import verify, verify_audit_logs
from shared.db import role_of
from shared.installation import WrongInstallation
from shared.installation import prepare as prepare_installation
from shared.sealing import NoDataKeys, SealBroken
from shared.session_keys import make_session_keys
from shared.settings import settings
from shared.table_files import NotATable

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(backup, name="backup")
audit_log = typer.Typer(no_args_is_help=True, help="The log of every change (GET /…/audit-log shows it).")
audit_log.command(name="verify")(verify_audit_logs)
app.add_typer(audit_log, name="audit-log")
app.add_typer(data_key, name="data-key")
app.add_typer(person, name="person")
app.add_typer(keys, name="keys")
app.add_typer(ops, name="ops")
console = Console(width=None if sys.stdout.isatty() else 120)
errors = Console(stderr=True)

EXAMPLES = Path(__file__).parent.parent / "examples"
MONTH_BEGINS = "2026-03-31T16:00:00Z"
"""Midnight of 1 April 2026 in Shanghai: when the simulated month begins."""

Port = Annotated[int | None, typer.Option(help="port on 127.0.0.1; the first free one from 8000 on by default")]
Simulate = Annotated[
    str, typer.Option(help="a new installation is a simulation whose clock stands at this moment (RFC 3339)")
]
Seed = Annotated[int, typer.Option(help="the same seed plays the same month")]
File = Annotated[Path, typer.Option("--file", help="requests to play with")]
MappingFile = Annotated[Path, typer.Option("--mapping", help="how the file's columns become a request")]
Results = Annotated[Path, typer.Option(help="where result.json and the CSV files go")]


@app.command()
def up(data: Data = Path(".data"), port: Port = None, simulate: Simulate = "") -> None:
    """Start an installation for use and keep it running until Ctrl-C."""
    stack = Stack(data, port=port, simulated_at=simulate or None)
    with stack.running() as address:
        console.print(f"Bianmin 便民 is up at [bold]{address.base_url}[/bold]; Ctrl-C stops it.")
        console.print(f"A new company is founded with the secret in {stack.data / 'founder-secret'} (see README).")
        _stay(stack)


@app.command()
def prepare(simulate: Simulate = "") -> None:
    """Create keys, roles, schemas and the clock in BIANMIN_DATABASE_URL and migrate all services; `up` does it itself.

    Its user becomes their owner. Each BIANMIN_<SERVICE>_DATABASE_PASSWORD, and that of VERIFIER, is set.
    """
    url = owners_database()
    if settings().allow_weak_secrets and not simulate:
        raise CannotStart("BIANMIN_ALLOW_WEAK_SECRETS is for simulations alone: unset it, or add --simulate")
    make_missing(settings().keys)
    passwords = {role_of(name): settings().database_password(name) for name in (*SERVICES, "verifier")}
    prepare_installation(url, simulated_at=simulate or None, passwords=passwords)
    keys = settings().session_keys
    if keys is not None:
        make_session_keys(keys)


@app.command()
def demo(
    data: Data = Path(".data/demo"),
    port: Port = None,
    seed: Seed = 1,
    exit_: Annotated[bool, typer.Option("--exit", help="end after the result")] = False,
    results: Results = Path("results"),
) -> None:
    """Start a simulation, live a month in it, audit it, begin the morning after, and stay up until Ctrl-C."""
    folder = _new_folder(data)
    stack = Stack(folder, port=port, simulated_at=MONTH_BEGINS)
    with stack.running() as address:
        cast = _live_month(
            address,
            folder,
            file=EXAMPLES / "nyc311.csv",
            mapping_file=EXAMPLES / "nyc311.toml",
            seed=seed,
            results=results,
            stack=stack,
        )
        _live_morning(address, cast, stack=stack)
        if not exit_:
            console.print(f"Bianmin 便民 stays up at [bold]{address.base_url}[/bold]; Ctrl-C stops it.")
            console.print(
                f"`bianmin status --data {folder}` shows its queues; people.json there has everybody's token."
            )
            _stay(stack)


@app.command()
def month(
    data: Data = Path(".data"),
    file: File = EXAMPLES / "nyc311.csv",
    mapping: MappingFile = EXAMPLES / "nyc311.toml",
    seed: Seed = 1,
    results: Results = Path("results"),
) -> None:
    """Live a month in a running, empty simulation (`bianmin up --simulate …`), and audit it."""
    _live_month(Address.read(data), data, file=file, mapping_file=mapping, seed=seed, results=results)


@app.command()
def morning(data: Data = Path(".data")) -> None:
    """Begin the morning after, in a running simulation in which a month was lived: every screen has something on it."""
    address = Address.read(data)
    with Client(address.base_url) as client:
        cast = cast_of(client, people_of(data))
    _live_morning(address, cast)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="a CSV or XLSX file of requests")],
    mapping: MappingFile,
    data: Data = Path(".data"),
    token: Token = "",
) -> None:
    """Import requests from a table: registered, refused with the reason, known, or malformed."""
    rules = read_mapping(mapping)
    rows = open_table(file, rules)
    clerk = person_of(data, token, "desk_head")
    with Client(Address.read(data).base_url) as client, Progress(console=errors) as progress:
        bar = progress.add_task("rows", total=None)
        result = import_table(
            client,
            clerk,
            rows,
            rules,
            start=lambda total: progress.update(bar, total=total),
            progress=lambda done: progress.advance(bar, done),
        )
    for row in result.malformed():
        console.print(f"row {row.row}: {row.reason}", highlight=False, markup=False)
    for reason, count in Counter(row.reason for row in result.rows if row.outcome == "refused").most_common():
        console.print(f"{count} refused: {reason}", highlight=False, markup=False)
    table = Table("outcome", "rows")
    for outcome in ("registered", "refused", "known", "malformed"):
        table.add_row(outcome, str(result.counts()[outcome]))
    console.print(table)


@app.command()
def audit(
    month: Annotated[str, typer.Argument(help="the month, e.g. 2026-04")],
    data: Data = Path(".data"),
    token: Token = "",
) -> None:
    """Recompute a month from what the four APIs export, and fail on one fen of difference."""
    auditor = person_of(data, token, "auditor")
    _audit(Client(Address.read(data).base_url), auditor, month)


app.command()(status)
app.command()(flower)
app.command()(doctor)
app.command()(verify)
app.command(name="create-admin")(create_admin)
app.command(name="rotate-session-key")(rotate_session_key)


def _audit(client: Client, auditor: Person, month: str) -> None:
    done = run_audit(read_exports(client, auditor, month))
    for check, count in done.checked.items():
        wrong = [finding for finding in done.findings if finding.check == check]
        console.print(f"{'✗' if wrong else '✓'} {check} ({count})", highlight=False)
        for finding in wrong[:10]:
            console.print(f"    {finding.detail}", highlight=False, markup=False)
    if not done.clean:
        raise typer.Exit(1)


def _live_month(
    address: Address,
    data: Path,
    *,
    file: Path,
    mapping_file: Path,
    seed: int,
    results: Path,
    stack: Stack | None = None,
) -> Cast:
    mapping = read_mapping(mapping_file)
    table = open_table(file, mapping)
    rows, malformed = map_rows(table, mapping)
    client = Client(address.base_url, while_waiting=stack.watch if stack else lambda: None)
    world = World(client, address.database_url)
    codes = sorted({row.site_code for row in rows})
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=errors) as progress:
        task = progress.add_task("founding the company", total=None)
        cast = found_company(world, address.founder_secret, codes, today=date(2026, 4, 1))
        _write_people(data, cast)
        play = Play(world, cast, rows, mapping, seed=seed)
        play.live(progress=lambda day: progress.update(task, description=f"living {day}"))
        world.run_clock()
    result = {"seed": seed, "rows": len(table), "malformed": len(malformed)}
    result |= summarise(read_exports(client, cast.auditor, play.stage.month))
    write_files(result, results)
    show(result, console)
    for row in malformed:
        console.print(f"row {row.row} of {file.name}: {row.reason}", highlight=False, markup=False)
    console.print(f"figures: {results}/result.json and *.csv")
    _audit(client, cast.auditor, play.stage.month)
    return cast


def _live_morning(address: Address, cast: Cast, *, stack: Stack | None = None) -> None:
    """The morning after; then who can be whom at the page."""
    with Client(address.base_url, while_waiting=stack.watch if stack else lambda: None) as client:
        world = World(client, address.database_url)
        world.watcher = cast.auditor
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=errors) as progress:
            progress.add_task("the morning after", total=None)
            Morning(world, cast).live()
        table = Table("sign in as", "post", "site", "finds", title=f"people to be at {address.base_url}")
        for one in client.get(cast.auditor, "/hr/api/demo/people"):
            table.add_row(one["name"], one["post"], one["site"] or "all sites", WAITING[one["role"]])
    console.print(table)


def _new_folder(data: Path) -> Path:
    """A month is lived in a new company: each demo has a folder of its own, numbered."""
    number = 1
    while (data / str(number)).exists():
        number += 1
    return data / str(number)


def _write_people(data: Path, cast: Cast) -> None:
    """Who can act in this simulation, for the other commands; tokens, so for the owner of the folder alone."""
    path = data / "people.json"
    path.touch(mode=0o600)
    people = [{"id": p.id, "name": p.name, "role": p.role, "token": p.token} for p in cast.everybody()]
    path.write_text(json.dumps(people, ensure_ascii=False, indent=1), encoding="utf-8")


def _stay(stack: Stack) -> None:
    """Keep the children running until somebody stops us, which is how it is meant to end."""
    with contextlib.suppress(KeyboardInterrupt):
        while not stack.stopping:
            stack.watch()
            time.sleep(0.2)


EXPECTED: dict[type[Exception], int] = {
    NotATable: 2,
    BadMapping: 2,
    CannotStart: 2,
    WrongInstallation: 2,
    NotASimulation: 2,
    ValidationError: 2,
    Refused: 1,
    NeverCame: 1,
    MessageParked: 1,
    PlayedWrong: 1,
    BackupFailed: 1,
    NoDataKeys: 2,
    SealBroken: 1,
    FileExistsError: 2,
    httpx.TransportError: 1,
    psycopg.Error: 1,
}
"""What a person can mend, told in one line, and the exit code."""


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(0)
    except tuple(EXPECTED) as error:
        errors.print(f"[red]bianmin:[/red] {escape(str(error))}", highlight=False)
        sys.exit(next(code for kind, code in EXPECTED.items() if isinstance(error, kind)))
