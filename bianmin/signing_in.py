"""`bianmin create-admin` and `bianmin rotate-session-key`: the first person who signs in, and the key of sessions."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bianmin.address import Address
from bianmin.client import Client
from shared.session_keys import rotate_keys

console = Console()

KEYS = "session-keys"
"""The folder of the keys of sessions, in the data folder."""

Data = Annotated[Path, typer.Option(help="the data folder of the installation", envvar="BIANMIN_DATA")]


def create_admin(
    company: Annotated[str, typer.Option(help="the company's name", prompt=True)],
    name: Annotated[str, typer.Option(help="the administrator's name", prompt=True)],
    login: Annotated[str, typer.Option(help="the name he signs in with", prompt=True)],
    data: Data = Path(".data"),
    password_file: Annotated[
        Path | None, typer.Option(help="a file whose first line is the password; asked for otherwise")
    ] = None,
) -> None:
    """Found the company with its first administrator; there is no other way in, and no account before."""
    address = Address.read(data)
    with Client(address.base_url) as client:
        client.post(
            None,
            "/hr/api/company",
            secret=address.founder_secret,
            name=company,
            administrator=name,
            login=login,
            password=_password(password_file),
        )
    console.print(f"{name} can sign in as {login} at {address.base_url}/hr/login.", highlight=False)


def _password(file: Path | None) -> str:
    """From the file's first line, or from whoever sits at the terminal, twice."""
    if file is not None:
        return file.read_text(encoding="utf-8").split("\n", 1)[0]
    if not sys.stdin.isatty():
        raise typer.BadParameter("no terminal to ask for the password: give --password-file")
    password = getpass.getpass("password (12 characters or more): ")
    if getpass.getpass("once more: ") != password:
        raise typer.BadParameter("the two are not the same")
    return password


def rotate_session_key(data: Data = Path(".data")) -> None:
    """Sign sessions with a new key from here on; those of the key before it go on until they end."""
    rotate_keys(data / KEYS)
    console.print("The next session is signed with a new key.")
