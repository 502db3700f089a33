"""`bianmin data-key …` and `bianmin person …`: the keys that seal personal data, and one owner's data [D26]."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bianmin.address import Address
from bianmin.client import Client, Person
from bianmin.told import owners_database
from shared.resealing import reseal as reseal_all
from shared.sealing import make_data_keys, rotate_keys

data_key = typer.Typer(no_args_is_help=True, help="The keys that seal personal data at rest.")
person = typer.Typer(no_args_is_help=True, help="What is held of one owner: take it out, or erase it.")
console = Console()

HOLDERS = ("intake", "dispatch", "finance", "hr")
"""The services that keep something of owners."""

KeyFile = Annotated[Path, typer.Argument(help="the file of data keys, as BIANMIN_DATA_KEYS names it")]
Data = Annotated[Path, typer.Option(help="the data folder of the installation", envvar="BIANMIN_DATA")]
Token = Annotated[str, typer.Option(help="the administrator's token", envvar="BIANMIN_TOKEN")]
Phone = Annotated[str, typer.Option(help="the owner's number, however it is written")]
Home = Annotated[str, typer.Option(help="the whole address of his home")]
Why = Annotated[str, typer.Option(help="why: it is written down")]


@data_key.command()
def new(file: KeyFile) -> None:
    """Make a file of keys. Keep a copy apart from the backups: what it seals is lost without it."""
    make_data_keys(file)
    console.print(f"data keys made: {file}")


@data_key.command()
def rotate(file: KeyFile) -> None:
    """Add a new key of each kind; what older ones sealed still opens and is found, and `reseal` does it anew."""
    console.print(f"key {rotate_keys(file)} seals from now on; seal what is stored anew: bianmin data-key reseal")


@data_key.command()
def reseal() -> None:
    """Seal, and make findable, everything stored in BIANMIN_DATABASE_URL anew with the newest of BIANMIN_DATA_KEYS."""
    for column, count in reseal_all(owners_database()).items():
        console.print(f"{column} {count}")


@person.command()
def export(
    file: Annotated[Path, typer.Argument(help="the JSON file to write; it must not exist")],
    *,
    data: Data = Path(".data"),
    token: Token = "",
    phone: Phone = "",
    home: Home = "",
    reason: Why = "",
) -> None:
    """Write down all that every service holds of one owner, found by his number, his home, or both."""
    if file.exists():
        raise typer.BadParameter(f"{file} is there already")
    with Client(Address.read(data).base_url) as client:
        who, body = _found(client, token, phone=phone, home=home, reason=reason)
        held = {name: client.post(who, f"/{name}/api/owners/export", **body) for name in HOLDERS}
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
        json.dump(held, out, ensure_ascii=False, indent=1)
    console.print(f"{len(body['request_ids'])} requests: {file}")


@person.command()
def erase(data: Data = Path(".data"), token: Token = "", phone: Phone = "", home: Home = "", reason: Why = "") -> None:
    """Erase what is personal of one owner everywhere; money and numbers of papers stay. His open requests refuse it."""
    with Client(Address.read(data).base_url) as client:
        who, body = _found(client, token, phone=phone, home=home, reason=reason)
        erased = client.post(who, "/intake/api/owners/erase", **body)
    console.print(f"{len(erased)} requests erased")


def _found(client: Client, token: str, *, phone: str, home: str, reason: str) -> tuple[Person, dict[str, Any]]:
    """The administrator and the owner's requests, ready to be sent."""
    if not token or not reason:
        raise typer.BadParameter("give --token of an administrator, and --reason")
    who = Person("", "", "administrator", token)
    found = client.post(who, "/intake/api/owners/find", phone=phone, address=home)
    if not found:
        raise typer.BadParameter("nothing is held of this owner")
    return who, {"request_ids": [one["request_id"] for one in found], "reason": reason}
