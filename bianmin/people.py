"""Who acts when a command is typed: the person of a token, or one of a simulation's own people."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bianmin.client import Person

Data = Annotated[Path, typer.Option(help="the data folder of the installation", envvar="BIANMIN_DATA")]
Token = Annotated[str, typer.Option(help="who acts; without it, the demo's person for it", envvar="BIANMIN_TOKEN")]


def person_of(data: Path, token: str, role: str) -> Person:
    """Who acts: the token given, else the simulation's first person of that role."""
    if token:
        return Person("", "", role, token)
    return next(person for person in people_of(data) if person.role == role)


def people_of(data: Path) -> list[Person]:
    """Everybody who can act in the simulation. Raises BadParameter where nobody is known."""
    path = data / "people.json"
    if not path.exists():
        raise typer.BadParameter("give --token (or BIANMIN_TOKEN) of a person who may do this")
    return [Person(**person) for person in json.loads(path.read_text(encoding="utf-8"))]
