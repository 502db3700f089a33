"""The four services in this process and thread: their real HTTP routes, handlers, pumps and sweeps, and the clock."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import anyio.to_thread
import psycopg

from bianmin.client import Client, Person, Refused
from shared.audit import seal
from shared.bus import worker
from shared.bus.pump import Pump
from shared.bus.purge import purge
from shared.bus.signature import Signatures
from shared.bus.ticker import sweep
from shared.db import SERVICES, WORKER, Database, database
from shared.errors import NotYet
from shared.settings import settings
from shared.tasks import Tasks
from shared.web import Edge
from tests.simulation.broker import Broker, Task
from tests.simulation.hazard import Hazard, Strike, watched


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    status: int
    body: Any
    replayed: bool
    keyed: bool
    """The route knows a repeat by its Idempotency-Key; where it does not, the state of things must refuse it."""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 400


async def _here(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
    """In this thread, instead of one of a pool."""
    return function(*args)


_options = Database.options


def _options_with_our_clock(self: Database) -> str:
    """`clock_timestamp()` is found in `installation` first, where it is the simulated clock."""
    found = _options(self)
    assert f"search_path={self.service},installation " in found
    return found.replace(f"{self.service},installation ", f"{self.service},installation,pg_catalog ")


class House:
    """See the module. What strikes is armed in `hazard`; what is under way waits in `broker`."""

    def __init__(self, broker: Broker, conninfo: str) -> None:
        self.broker = broker
        self.hazard = Hazard()
        self.heard: Counter[tuple[str, str, str]] = Counter()
        """(receiver, type, body) -> how often a handler's transaction with it was committed."""
        self.owner: psycopg.Connection[Any] = psycopg.connect(conninfo, autocommit=True)
        self.now: datetime = self.owner.execute("SELECT simulated_at FROM installation.clock").fetchone()[0]  # type: ignore[index]  # it has one row
        self.early = 0
        """Messages that came before what they need."""
        self.keyed = False
        """Whether the request under way, or the last one, asked for its Idempotency-Key."""
        self._loop = asyncio.new_event_loop()
        self._pending: dict[str, list[tuple[str, str, str]]] = {service: [] for service in SERVICES}
        self._tasks: dict[str, Tasks] = {}
        self._pumps: dict[str, Pump] = {}

    @contextmanager
    def open(self) -> Iterator["House"]:
        """The services run, in this thread, until the end of the block."""
        with ExitStack() as stack:
            stack.enter_context(patch.object(anyio.to_thread, "run_sync", _here))
            stack.enter_context(patch.object(Database, "options", _options_with_our_clock))
            stack.enter_context(patch.object(Edge, "once", self._noticing(Edge.once)))
            stack.enter_context(patch.object(worker, "PAUSES", ()))  # a database that is away is away for the step
            stack.callback(self._loop.close)
            stack.callback(self.owner.close)
            for service in SERVICES:
                self._tasks[service] = import_module(f"services.{service}.tasks").tasks
                for engine in (database(service).engine, database(service, WORKER).engine):
                    engine.dispose()
                    engine.connect().close()  # what an engine asks at its first connection is no step
                    stack.callback(engine.dispose)
                    stack.enter_context(
                        watched(
                            engine,
                            self.hazard,
                            committed=lambda service=service: self._committed(service),
                            rolled_back=lambda service=service: self._pending[service].clear(),
                        )
                    )
                stack.enter_context(patch.dict(self._tasks[service].handlers, self._listening(service)))
                signatures = Signatures(service, partial(database, service, WORKER), settings().keys)
                at = database(service, WORKER)
                self._pumps[service] = Pump(self.broker, at, None, signatures, self.broker)  # type: ignore[arg-type]  # stands in
            yield self

    def _listening(self, service: str) -> dict[str, Any]:
        """The service's handlers, each noting what it heard; it counts when its transaction is committed."""

        def noted(name: str, handler: Any) -> Any:
            def handle(session: Any, message: Any, *, now: datetime) -> None:
                self._pending[service].append((service, name, message.model_dump_json()))
                try:
                    handler(session, message, now=now)
                except NotYet:
                    self.early += 1
                    raise

            return handle

        return {name: noted(name, handler) for name, handler in self._tasks[service].handlers.items()}

    def _noticing(self, once: Callable[..., Any]) -> Callable[..., Any]:
        def noticed(edge: Edge, *args: Any) -> Any:
            self.keyed = True
            return once(edge, *args)

        return noticed

    def _committed(self, service: str) -> None:
        self.heard.update(self._pending[service])
        self._pending[service].clear()

    def begin_step(self, strike: Strike | None = None) -> None:
        """A step begins, in which that will strike."""
        self.hazard.begin_step(strike)
        for pending in self._pending.values():
            pending.clear()  # what a transaction heard whose connection was cut: nobody rolled it back

    # --- steps --------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        key: str = "",
        body: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One HTTP request at the gateway's address, like /intake/api/requests."""
        service, _, rest = path.removeprefix("/").partition("/")
        web = import_module(f"services.{service}.main").web
        raw = json.dumps(body).encode() if body is not None else b""
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
        headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
        headers += [(b"idempotency-key", key.encode())] if key else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": f"/{rest}",
            "raw_path": f"/{rest}".encode(),
            "query_string": urlencode(query or {}).encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        told: list[Any] = []
        self.keyed = False

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        self._loop.run_until_complete(web(scope, receive, send))
        start = told[0]
        content = b"".join(part.get("body", b"") for part in told[1:])
        return Answer(
            start["status"],
            json.loads(content) if content else None,
            any(name == b"idempotency-replayed" for name, _ in start["headers"]),
            self.keyed,
        )

    def pump(self, service: str) -> None:
        """One round of a service's pump."""
        self._pumps[service]._send(self.broker)  # type: ignore[arg-type]  # stands in

    def deliver(self, service: str, task: Task) -> None:
        """A worker runs one task of its queue, as Celery would."""
        name = task.name.partition(".")[2]
        celery = import_module(f"services.{service}.worker").celery
        run = celery.tasks[f"{service}.{name}"]
        run.push_request(delivery_info={"redelivered": task.redelivered})
        try:
            run.run(**json.loads(task.kwargs))
        finally:
            run.pop_request()

    def sweep(self, service: str) -> None:
        """One look at a service's deadlines."""
        sweep(database(service, WORKER), self._tasks[service].ticks)
        seal(database(service, WORKER))

    def purge(self, service: str) -> None:
        """What is old is forgotten."""
        purge(database(service, WORKER))

    def pass_time(self, seconds: float) -> None:
        """The clock moves on: the one of the business and the one of the bus are the same."""
        self.now += timedelta(seconds=seconds)
        self.owner.execute("SELECT installation.clock_set(%s, false)", [self.now])

    # --- how it stands ------------------------------------------------------------------------------------------

    def unquiet(self) -> str:
        """What is still under way, in words; empty when nothing is."""
        rows = self.owner.execute(_UNQUIET).fetchall()
        return "; ".join([f"{service} {what} {count}" for service, what, count in rows if count])

    def pump_moments(self) -> dict[str, datetime | None]:
        """When each service's pump has something to do next; None where it has nothing as things stand."""
        return dict(self.owner.execute(_PUMP_MOMENTS).fetchall())

    def settle(self, *, rounds: int = 80) -> None:
        """Go on without faults until nothing is under way. Raises NeverQuiet, saying what still is."""
        for round_ in range(rounds):
            self.begin_step()
            for service in SERVICES:
                self.sweep(service)
                self.pump(service)
            while self.broker.waiting:
                for service in self.broker.waiting:
                    self.deliver(service, self.broker.take(service))
            open_ = self.unquiet()
            if not open_ and not any(self._overdue(service) for service in SERVICES):
                return
            self.pass_time(0.5 if round_ < 20 else 60)  # what is sent or tried again waits up to ten minutes
        raise NeverQuiet(self.unquiet() or "deadlines stay overdue")

    def _overdue(self, service: str) -> int:
        before = self.hazard.commits
        sweep(database(service, WORKER), self._tasks[service].ticks)  # without the sealing, which always commits
        return self.hazard.commits - before - 1


class NeverQuiet(Exception):
    """Without any fault, something was still under way after a long time."""


_UNQUIET = " UNION ALL ".join(
    f"""SELECT '{service}', 'unacknowledged', count(*) FROM {service}.outbox WHERE acknowledged_at IS NULL
        UNION ALL SELECT '{service}', state, count(*) FROM {service}.inbox WHERE state IN ('waiting', 'parked')
        GROUP BY state
        UNION ALL SELECT '{service}', 'not acknowledged yet', count(*) FROM {service}.inbox WHERE ack_due"""
    for service in SERVICES
)


_PUMP_MOMENTS = " UNION ALL ".join(
    f"""SELECT '{service}', least(
            (SELECT min(send_at) FROM {service}.outbox WHERE acknowledged_at IS NULL),
            (SELECT min(retry_at) FROM {service}.inbox WHERE state = 'waiting'),
            (SELECT simulated_at FROM installation.clock WHERE EXISTS (SELECT FROM {service}.inbox WHERE ack_due)))"""
    for service in SERVICES
)


class InHouse(Client):
    """The client of the product, speaking to the house; who reads sees all that followed from what was done."""

    def __init__(self, house: House, *, settling: bool) -> None:
        self._acts = count()
        self.acts = 0
        self._house = house
        self._settling = settling

    def _call(self, method: str, path: str, *, person: Person | None, key: str = "", **parts: Any) -> Any:
        key = f"act-{self.acts}" if key else ""
        if self._settling and method == "GET":
            self._house.settle()
        self._house.begin_step()
        answer = self._house.request(
            method,
            path,
            token=person.token if person else "",
            key=key,
            body=parts.get("json"),
            query=parts.get("params"),
        )
        if not answer.ok:
            raise Refused(f"{method} {path}", answer.status, answer.body)
        return answer.body
