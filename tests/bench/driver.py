"""Takes orders, many at a time, through every HTTP step from the registration to the revisit."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, text

from bianmin.client import Person
from bianmin.month.cast import Team

FEE_FEN = 5000
AT_A_TIME = 24
LATE_EVERY = 5
"""Every so many orders the owner is called back too late."""
PATIENCE_SECONDS = 40.0
LOOK_SECONDS = 0.05
REST_SECONDS = 2.0
"""A connection unused for so long is not used again: uvicorn ends it after five seconds."""

VISIT = {"visit_from": "2026-04-01T14:30:00+08:00", "visit_to": "2026-04-01T17:00:00+08:00"}
"""Agreed while the clock of the simulation runs from 14:00 on."""

Key = tuple[str, str]
"""A request, and what is known of it."""


class Board:
    """What has arrived where it should, as the tables tell it: looked at all the time, for everybody who waits."""

    def __init__(self, database_url: str, facts: str) -> None:
        """`facts` selects the request, what is known of it, how many times, and one id of it."""
        self._engine = create_engine(database_url, poolclass=NullPool)
        self._facts = text(facts)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._found: dict[Key, tuple[int, str]] = {}

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look until the block ends."""
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _look(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not self._stopping.wait(LOOK_SECONDS):
                rows = connection.execute(self._facts).all()
                with self._changed:
                    self._found = {(str(row[0]), row[1]): (row[2], row[3]) for row in rows}
                    self._changed.notify_all()

    def wait(self, request_id: str, what: str) -> str:
        """The id of what arrived. Raises NeverArrived."""
        with self._changed:
            if not self._changed.wait_for(lambda: (request_id, what) in self._found, PATIENCE_SECONDS):
                raise NeverArrived(what)
            return self._found[request_id, what][1]

    def wait_for_all(self, keys: Sequence[Key], seconds: float) -> None:
        """Until all have arrived, or that many seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: all(key in self._found for key in keys), seconds)

    def times(self) -> Mapping[Key, int]:
        """How many times each is there."""
        with self._changed:
            return {key: times for key, (times, _) in self._found.items()}


class NeverArrived(Exception):
    """What the next step needs did not come."""


@dataclass
class Run:
    """What a run of orders did: the effects its steps must have, how many orders ended, and what kept the others."""

    expected: list[Key] = field(default_factory=list)
    finished: int = 0
    stuck: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Driver:
    """One side, Bianmin or the naive version: both have the same paths."""

    def __init__(self, base_url: str, board: Board, team: Team) -> None:
        self.board = board
        self._address = urlsplit(base_url).netloc
        self._team = team
        self._workers = cycle(team.workers["engineering"])
        self._local = threading.local()
        self._run = Run()

    def start(self, howmany: int) -> tuple[list[Future[None]], ThreadPoolExecutor]:
        """Begin so many orders, each with a thread of its own when its turn comes."""
        self._run = Run()
        pool = ThreadPoolExecutor(AT_A_TIME)
        return [pool.submit(self._order, number) for number in range(howmany)], pool

    def drive(self, howmany: int) -> Run:
        """So many orders, from the first step to the end of the last."""
        began = monotonic()
        orders, pool = self.start(howmany)
        with pool:
            for order in orders:
                order.result()
        self._run.seconds = monotonic() - began
        return self._run

    @property
    def run(self) -> Run:
        """The run under way."""
        return self._run

    def _order(self, number: int) -> None:
        try:
            self._steps(late=number % LATE_EVERY == 0)
            self._run.finished += 1
        except NeverArrived as lacking:
            self._run.stuck.append(str(lacking))

    def _steps(self, *, late: bool) -> None:
        clerk, head, worker = self._team.clerks[0], self._team.heads["engineering"], next(self._workers)
        form = {"owner_name": "王芳", "address": "1-101", "phone": "13800000000", "description": "漏水"}
        facts = {"site_id": self._team.site_id, "channel": "phone", "trade": "water", **form}
        id_ = self._call(clerk, "POST", "/intake/api/requests", **facts)["id"]
        request = f"/intake/api/requests/{id_}"
        if late:
            self._expect(id_, "missed")
            self.board.wait(id_, "missed")
        item = {"price_code": "tap", "quantity": 1, "unit_fen": FEE_FEN}
        self._call(clerk, "POST", f"{request}/agree", **VISIT, items=[item])
        self._call(clerk, "POST", f"{request}/notice")
        self._expect(id_, "work_order", "charge")
        order = f"/dispatch/api/work-orders/{self.board.wait(id_, 'work_order')}"
        self._call(head, "POST", f"{order}/acknowledge")
        self._expect(id_, "acknowledged")
        self._call(head, "POST", f"{order}/assign", workers=[{"person_id": worker.id, "weight": 1}])
        self._expect(id_, "assigned")
        self._call(worker, "POST", f"{order}/arrive")
        self._call(worker, "POST", f"{order}/check-materials", complete=True)
        self._call(worker, "POST", f"{order}/finish")
        shown = self._call(worker, "GET", f"{order}/settlement-list")["hash"]
        signature = {"signer_name": "王芳", "relation": "owner", "signature": "王芳"}
        self._call(worker, "POST", f"{order}/accept", **signature, shown_hash=shown)
        self._expect(id_, "accepted", "charge_accepted", "revisit")
        self._call(worker, "POST", f"{order}/return")
        self._expect(id_, "returned")
        self.board.wait(id_, "charge_accepted")
        self._call(clerk, "POST", f"/finance/api/charges/{id_}/collect", method="cash", amount_fen=FEE_FEN)
        self._expect(id_, "receipt", "fee")
        self.board.wait(id_, "revisit")
        survey = {"quality": 5, "attitude": 5, "price_as_agreed": True}
        self._call(clerk, "POST", f"{request}/revisit", outcome="satisfied", note="满意", survey=survey)

    def _expect(self, request_id: str, *effects: str) -> None:
        """The step was taken, so these must follow, once each."""
        self._run.expected += [(request_id, effect) for effect in effects]

    def _call(self, person: Person, method: str, path: str, /, **body: Any) -> Any:
        """One step, on the connection of this thread."""
        connection = self._connection()
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Idempotency-Key": str(uuid4()),
            "Content-Type": "application/json",
        }
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode()}")
        self._local.used_at = monotonic()
        return json.loads(content)

    def _connection(self) -> HTTPConnection:
        """This thread's; a new one after a rest, before the server ends it."""
        if monotonic() - getattr(self._local, "used_at", -REST_SECONDS) >= REST_SECONDS:
            if hasattr(self._local, "connection"):
                self._local.connection.close()
            self._local.connection = HTTPConnection(self._address, timeout=60)
        connection: HTTPConnection = self._local.connection
        return connection
