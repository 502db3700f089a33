"""`bianmin keys`: the keys by which the services know each other's messages (shared/bus/keys.py)."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from rich.console import Console
from rich.table import Table

from shared.bus.keys import NoKey, PrivateKey, PublicKey, private_file, public_folder, read_public
from shared.db import SERVICES

app = typer.Typer(no_args_is_help=True, help="Make, exchange and list the keys messages are signed with.")
console = Console()

CLOCKS_APART = timedelta(minutes=1)
"""A key is valid so long before it is made: the clock by which it is judged may be behind."""
KEPT_AFTER = timedelta(days=7)
"""So long what an exchanged key has signed still counts: a queue may be long."""

Folder = Annotated[Path, typer.Option("--keys", help="the folder of the keys", envvar="BIANMIN_KEYS")]


@app.command()
def new(keys: Folder = Path(".data/keys")) -> None:
    """Make what is missing: one pair for each service; what is there stays."""
    for key in make_missing(keys):
        console.print(f"{key.service} signs with {key.id}", highlight=False)


@app.command()
def rotate(
    service: Annotated[str, typer.Argument(help="intake, dispatch, finance or hr")],
    keys: Folder = Path(".data/keys"),
    stolen: Annotated[bool, typer.Option(help="what the old key has signed counts no more, from now on")] = False,
) -> None:
    """Let a service sign with a new key; workers see it within seconds, and what is refused meanwhile is sent again."""
    if service not in SERVICES:
        raise typer.BadParameter(f"{service} is none of {', '.join(SERVICES)}")
    key = exchange(keys, service, stolen=stolen)
    console.print(f"{service} signs with {key.id}", highlight=False)


@app.command(name="list")
def list_(keys: Folder = Path(".data/keys")) -> None:
    """Who signs with what, and which keys are valid."""
    table = Table("service", "key", "valid from", "until", "in use")
    for key in read_public(public_folder(keys)):
        until = f"{key.not_after:%Y-%m-%d %H:%M}" if key.not_after else ""
        used = "yes" if key.id == _in_use(keys, key.service) else ""
        table.add_row(key.service, key.id, f"{key.not_before:%Y-%m-%d %H:%M}", until, used)
    console.print(table)


def make_missing(folder: Path) -> list[PublicKey]:
    """A pair of keys for each service that has none; returns the public ones that were made."""
    return [_make(folder, name) for name in SERVICES if not private_file(folder, name).exists()]


def exchange(folder: Path, service: str, *, stolen: bool = False) -> PublicKey:
    """Let `service` sign with a new key; its old ones count for a week more, or, `stolen`, no more."""
    old = [key for key in read_public(public_folder(folder)) if key.service == service and key.not_after is None]
    made = _make(folder, service)
    until = _now() if stolen else _now() + KEPT_AFTER
    for key in old:
        ended = PublicKey(service, key.key, key.not_before, until)
        _write(public_folder(folder) / key.file_name, ended.text(), mode=0o644)
    return made


def _make(folder: Path, service: str) -> PublicKey:
    """A new pair: first what others know it by, then what is signed with."""
    key = Ed25519PrivateKey.generate()
    public = PublicKey(service, key.public_key(), _now() - CLOCKS_APART)
    _write(public_folder(folder) / public.file_name, public.text(), mode=0o644)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(private_file(folder, service), pem, mode=0o600)
    return public


def _write(path: Path, words: bytes, *, mode: int) -> None:
    """Whole or not at all, and at no moment for others to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        file.write(words)
    half.rename(path)


def _in_use(folder: Path, service: str) -> str:
    try:
        return PrivateKey(folder, service).get()[0]
    except NoKey:
        return ""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # keys are made before there is a database that could be asked
