"""`bianmin flower`: Flower on this installation: it hears what workers tell of their tasks, and can do nothing to them.

It connects as the broker's account `operator`. Workers hear no remote control, and tell only where BIANMIN_TASK_EVENTS
is true; what they tell is a task's name and times, and nothing of its messages.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from celery import Celery
from celery.app.control import Control

from bianmin.address import Address
from bianmin.engines import CannotStart
from bianmin.people import Data
from shared.bus import transport

APP = "bianmin.flower:celery"


def flower(
    data: Data = Path(".data"),
    address: Annotated[str, typer.Option(help="where it listens; nobody has to sign in")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port it listens on")] = 5555,
) -> None:
    """Show by Flower how tasks go, until Ctrl-C; needs the package `flower`. Raises CannotStart without it."""
    if find_spec("flower") is None:
        raise CannotStart("Flower is not installed here: pip install 'flower>=2.2'")
    url = os.environ.get("BIANMIN_OPERATOR_BROKER_URL") or os.environ.get("BIANMIN_BROKER_URL")
    environment = {
        "BIANMIN_BROKER_URL": url or Address.read(data).broker_url,  # not among the arguments, which everybody sees
        "FLOWER_UNAUTHENTICATED_API": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", APP, "flower", f"--address={address}", f"--port={port}"]
    os.execve(sys.executable, [*command, "--enable_events=False"], {**os.environ, **environment})  # noqa: S606  # it is to become it


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
