"""`bianmin flower`: Flower on this installation: it hears what workers tell of their tasks, and can do nothing to them.

It connects as the broker's account `operator`. Workers hear no remote control, and tell only where BIANMIN_TASK_EVENTS
is true; what they tell is a task's name and times, and nothing of its messages.
"""

import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer
from celery import Celery
from celery.app.control import Control
from pydantic import ValidationError

from bianmin.address import Address
from bianmin.engines import CannotStart
from bianmin.people import Data
from shared.bus import transport
from shared.safety import weak_secret
from shared.settings import settings

APP = "bianmin.flower:celery"

Login = Annotated[
    Path | None, typer.Option(help="a file with name:password, to let in nobody else", exists=True, dir_okay=False)
]


def flower(
    data: Data = Path(".data"),
    address: Annotated[str, typer.Option(help="where it listens")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port it listens on")] = 5555,
    login: Login = None,
) -> None:
    """Show by Flower how tasks go, until Ctrl-C. Raises CannotStart where others could see it without signing in."""
    if login is None and not _is_here(address):
        raise CannotStart(f"whoever reaches {address} would see it: name a file with name:password by --login")
    environment = {"BIANMIN_BROKER_URL": _broker_url(data)}  # not among the arguments, which everybody sees
    if login is None:
        environment["FLOWER_UNAUTHENTICATED_API"] = "1"
    else:
        environment["FLOWER_BASIC_AUTH"] = _name_and_password(login)
    command = [sys.executable, "-m", "celery", "-A", APP, "flower", f"--address={address}", f"--port={port}"]
    os.execve(sys.executable, [*command, "--enable_events=False"], {**os.environ, **environment})  # noqa: S606  # it is to become it


def _is_here(address: str) -> bool:
    """Whether nobody but this machine reaches an address. Raises CannotStart when it is none."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        raise CannotStart(f"{address} is no address: 127.0.0.1 is this machine, 0.0.0.0 every network") from None


def _broker_url(data: Path) -> str:
    """As `operator`: what is told, in the environment or as a secret, else that of the installation in the folder."""
    told = os.environ.get("BIANMIN_OPERATOR_BROKER_URL")
    try:
        return told or settings().broker_url
    except ValidationError:
        return Address.read(data).broker_url


def _name_and_password(login: Path) -> str:
    """Raises CannotStart for a file without both, or with a password that somebody could guess."""
    written = login.read_text(encoding="utf-8").strip()
    name, _, password = written.partition(":")
    if not name or not password:
        raise CannotStart(f"{login} has no name:password in it")
    fault = weak_secret({"the password of Flower": password})
    if fault is not None:
        raise CannotStart(fault)
    return written


class Unheard(Control):  # type: ignore[misc]  # Celery has no types
    """What Flower would ask of workers or have them do: nobody hears it."""

    def broadcast(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


def __getattr__(name: str) -> Celery:
    """The app Flower connects by, made when it asks for it."""
    if name != "celery":
        raise AttributeError(name)
    transport.install()
    app = Celery("flower", set_as_current=False, control=f"{__name__}:Unheard")
    app.conf.update(
        broker_url=os.environ["BIANMIN_BROKER_URL"],
        broker_transport_options=transport.own_keys("flower") | {"refuse": _pass_over},
        event_queue_ttl=None,  # either would need scripts at the broker; what nobody reads any more Flower deletes
        event_queue_expires=None,
        result_backend=None,
    )
    return app


def _pass_over(_raw: object, _error: Exception) -> None:
    """What cannot be read is of no use to anybody who only looks."""
