"""A month lived in this process: the real APIs, handlers and sweeps on a real database, messages carried by hand."""

from dataclasses import asdict
from datetime import date
from typing import Any

from starlette.testclient import TestClient

from bianmin.children import wait_until
from bianmin.client import Client, Person
from bianmin.gateway import make_app
from bianmin.importing.mapping import read_mapping
from bianmin.importing.sending import map_rows, open_table
from bianmin.month.cast import Cast, found_company
from bianmin.month.play import Play
from bianmin.month.quiet import World
from services.dispatch.tasks import tasks as dispatch
from services.finance.tasks import tasks as finance
from services.hr.tasks import tasks as hr
from services.intake.tasks import tasks as intake
from shared.bus import inbox, outbox
from shared.bus.ticker import sweep
from shared.db import database
from tests.journeys.test_commands import ROOT

TASKS = {tasks.service: tasks for tasks in (intake, dispatch, finance, hr)}
JOBS, REFUSED = 26, 4
"""Requests of the play: enough that each of its troubles comes once, and some that are no service of ours."""


def carry() -> bool:
    """Every message that is due goes to its receiver and is acknowledged; whether there was any."""
    carried = False
    for service in TASKS:
        with database(service).session() as session:
            due = outbox.take_due(session) + inbox.take_retries(session)
        for envelope in due:
            inbox.receive(database(envelope.receiver), TASKS[envelope.receiver].handlers, asdict(envelope))
        carried = carried or bool(due)
    for service in TASKS:
        with database(service).session() as session:
            acknowledged = inbox.take_acknowledgements(session)
        for sender, ids in acknowledged.items():
            with database(sender).session() as session:
                outbox.acknowledge(session, receiver=service, ids=ids)
    return carried


def come_to_rest() -> None:
    """All deadlines that have passed are acted on, and what follows is done, until nothing is left to do."""

    def at_rest() -> bool:
        for service, tasks in TASKS.items():
            sweep(database(service), tasks.ticks)
        while carry():
            pass
        return not any(_waiting(service) for service in TASKS)

    wait_until("no message to wait", at_rest, seconds=30)


def _waiting(service: str) -> bool:
    with database(service).session() as session:
        return bool(session.connection().exec_driver_sql("SELECT 1 FROM inbox WHERE state = 'waiting' LIMIT 1").all())


class Town(World):
    """The world of the play without processes: it comes to rest when it is told to."""

    def settle(self) -> None:
        come_to_rest()


class TownClient(Client):
    """Calls the four services in this process; asking whether they are quiet brings them to rest."""

    def __init__(self) -> None:
        super().__init__("http://town")
        self._http.close()
        self._http = TestClient(make_app(), base_url="http://town")

    def get(self, person: Person, path: str, **query: Any) -> Any:
        if path.endswith("/ops/bus"):
            come_to_rest()
        return super().get(person, path, **query)


def live_a_month(database_url: str, founder_secret: str) -> tuple[TownClient, Cast]:
    """April 2026 at one site, with every trouble of the play, settled and paid out."""
    mapping = read_mapping(ROOT / "examples/nyc311.toml")
    rows, _ = map_rows(open_table(ROOT / "examples/nyc311.csv", mapping), mapping)
    of_one = [row for row in rows if row.site_code == "BK"]
    taken = [row for row in of_one if row.fields["trade"] in {"water", "electricity", "cleaning", "greening"}]
    refused = [row for row in of_one if row.fields["trade"] == "other"]
    client = TownClient()
    world = Town(client, database_url)
    cast = found_company(world, founder_secret, ["BK"], today=date(2026, 4, 1))
    Play(world, cast, taken[:JOBS] + refused[:REFUSED], mapping, seed=1).live()
    come_to_rest()
    return client, cast
