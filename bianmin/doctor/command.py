"""The command `bianmin doctor`, and what it says."""

from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from bianmin.doctor.checks import CHECKS
from bianmin.doctor.patient import CannotLook, Patient, looking_at
from bianmin.people import Data
from shared.broker import AWAY

console = Console()

UNSEEN: tuple[type[Exception], ...] = (psycopg.Error, OSError, *AWAY)
"""What says that something could not be looked at."""

Backups = Annotated[
    Path | None, typer.Option(help="the folder of the backups, to see how old they are", envvar="BIANMIN_BACKUPS")
]
Free = Annotated[float, typer.Option(help="percent of a disk that must be free")]


def doctor(data: Data = Path(".data"), backups: Backups = None, min_free: Free = 5) -> None:
    """Say what is wrong with an installation and what to do; it may run or be stopped, and nothing is changed.

    Exit code 0: nothing was found. 1: something is wrong. 2: it could not be looked at, or not at all of it.
    """
    try:
        with looking_at(data, backups=backups, free_percent=min_free) as patient:
            found, unseen = examine(patient)
    except CannotLook as error:
        found, unseen = [], [str(error)]
    for sentence in found:
        console.print(f"✗ {sentence}", highlight=False, markup=False, soft_wrap=True)
    for sentence in unseen:
        console.print(f"? {sentence}", highlight=False, markup=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    if unseen:
        raise typer.Exit(2)
    console.print(f"nothing is wrong, as far as {len(CHECKS)} checks see", highlight=False)


def examine(patient: Patient) -> tuple[list[str], list[str]]:
    """What is wrong, and what could not be looked at, each in a sentence."""
    found: list[str] = []
    unseen: list[str] = []
    for check in CHECKS:
        try:
            found += check(patient)
        except UNSEEN as error:
            unseen.append(f"{check.__name__} could not be checked: {str(error).partition(chr(10))[0]}")
    return found, unseen
