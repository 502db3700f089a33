"""A month lived in this process: the real APIs, handlers and sweeps on a real database, messages carried by hand."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from httpx import Response
from sqlalchemy import text
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
from shared.audit import seal
from shared.bus import inbox, outbox
from shared.bus.ticker import sweep
from shared.db import WORKER, database
from tests.journeys.test_commands import ROOT
from tests.signed import receive

TASKS = {tasks.service: tasks for tasks in (intake, dispatch, finance, hr)}
JOBS, REFUSED = 26, 4
"""Requests of the play at each site: enough that each of its troubles comes once, and some that are not ours."""


_BUSY = " UNION ALL ".join(
    f"SELECT '{service}' WHERE EXISTS (SELECT FROM {service}.outbox WHERE acknowledged_at IS NULL)"
    f" OR EXISTS (SELECT FROM {service}.inbox WHERE ack_due OR state = 'waiting')"
    for service in TASKS
)


class Town(World):
    """The world of the play without processes: when it settles, it carries messages and acts on deadlines itself."""

    _swept_at: datetime | None = None

    def settle(self) -> None:
        """Until no message is under way and no deadline has passed without being acted on."""
        if self._swept_at != self.now:
            for service, tasks in TASKS.items():
                sweep(database(service, WORKER), tasks.ticks)
            self._swept_at = self.now
        wait_until("all messages to have been handled", self._carried, seconds=30)
        for service in TASKS:
            seal(database(service, WORKER))

    def _carried(self) -> bool:
        """Carry what there is; whether nothing is under way any more."""
        with self._engine.connect() as connection:
            busy = connection.scalars(text(_BUSY)).all()
        for service in busy:
            with database(service, WORKER).session() as session:
                due = outbox.take_due(session) + inbox.take_retries(session)
            for envelope in due:
                handlers = TASKS[envelope.receiver].handlers
                receive(database(envelope.receiver, WORKER), handlers, asdict(envelope))
        for service in TASKS if busy else ():
            with database(service, WORKER).session() as session:
                acknowledged = inbox.take_acknowledgements(session)
            for sender, ids in acknowledged.items():
                with database(sender, WORKER).session() as session:
                    outbox.acknowledge(session, receiver=service, ids=[UUID(id_) for id_ in ids])
        return not busy


class TownClient(Client):
    """Calls the four services in this process; asking how their buses stand lets them come to rest first."""

    town: Town

    def __init__(self) -> None:
        super().__init__("http://town")
        self._http.close()
        self._http = TestClient(make_app(), base_url="http://town")

    def raw(self, person: Person, path: str) -> Response:
        """What a GET is answered, whatever it is."""
        return self._http.get(path, headers={"Authorization": f"Bearer {person.token}"})

    def get(self, person: Person, path: str, **query: Any) -> Any:
        if path.endswith("/ops/bus"):
            self.town.settle()
        return super().get(person, path, **query)


def live_a_month(database_url: str, founder_secret: str, *codes: str) -> tuple[TownClient, Cast]:
    """April 2026 at the sites of these codes, with every trouble of the play, settled and paid out."""
    mapping = read_mapping(ROOT / "examples/nyc311.toml")
    rows, _ = map_rows(open_table(ROOT / "examples/nyc311.csv", mapping), mapping)
    taken, refused = [], []
    for code in codes:
        there = [row for row in rows if row.site_code == code]
        ours = {"water", "electricity", "cleaning", "greening"}
        taken += [row for row in there if row.fields["trade"] in ours][:JOBS]
        refused += [row for row in there if row.fields["trade"] == "other"][:REFUSED]
    client = TownClient()
    client.town = Town(client, database_url)
    cast = found_company(client.town, founder_secret, codes, today=date(2026, 4, 1))
    Play(client.town, cast, taken + refused, mapping, seed=1).live()
    client.town.settle()
    return client, cast
