"""A service on its own over HTTP, where everything commits: two sites, and a person of every role at each."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, get_args
from uuid import UUID

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.hr.rules.post import DEPARTMENTS
from shared.db import WORKER, database
from shared.ids import new_id
from shared.messages import Message, Role
from shared.people import Actor
from tests.conftest import START
from tests.people import employ, open_site

OTHER = "@other"
"""A person's token is his role; his colleague's at the other site has this behind it."""


class House:
    """The service, the site in question, and its people by role (heads and workers are engineering's)."""

    def __init__(self, service: str, client: TestClient) -> None:
        self.service = service
        self.client = client
        with self.session() as session:
            self.site_id, self.other_site_id = open_site(session, "BK"), open_site(session, "ZJ")
            self.people = {role: self._employ(session, role, self.site_id, role) for role in get_args(Role)}
            for role in get_args(Role):
                self._employ(session, role, self.other_site_id, role + OTHER)

    @staticmethod
    def _employ(session: Session, role: Role, site_id: UUID, token: str) -> Actor:
        department = "engineering" if role in {"head", "worker"} else next(iter(DEPARTMENTS[role]))
        return employ(session, role, department, site_id, name=token, token=token)  # type: ignore[arg-type]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction of the service that commits."""
        with database(self.service, WORKER).session() as session:
            yield session

    def hear(self, message: Message) -> None:
        """The service handles a message."""
        handlers = import_module(f"services.{self.service}.tasks").tasks.handlers
        with self.session() as session:
            handlers[type(message).__name__](session, message, now=START)

    def get(self, who: str, path: str) -> Response:
        return self.client.get(f"/api{path}", headers={"Authorization": f"Bearer {who}"})

    def post(self, who: str, path: str, body: Any = None, *, key: str = "") -> Response:
        headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": key or str(new_id())}
        if isinstance(body, bytes):
            return self.client.post(f"/api{path}", content=body, headers=headers | {"Content-Type": "image/png"})
        return self.client.post(f"/api{path}", json=body, headers=headers)

    def did(self, who: str, path: str, body: Any = None) -> Any:
        """Post what must succeed; the answer's body."""
        answer = self.post(who, path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def messages_said(self) -> int:
        """How many rows the outbox has: what is refused adds none."""
        with self.session() as session:
            return int(session.execute(text("SELECT count(*) FROM outbox")).scalar_one())

    def jobs_known(self) -> int:
        """How many work orders or charges there are, in a service that only hears of them."""
        table = {"dispatch": "work_orders", "finance": "charges"}.get(self.service)
        if table is None:
            return 0
        with self.session() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@contextmanager
def house_of(service: str) -> Iterator[House]:
    """The house of a service, opened over its web application."""
    with TestClient(web_of(service)) as client:
        yield House(service, client)


def web_of(service: str) -> FastAPI:
    """The service's web application."""
    web: FastAPI = import_module(f"services.{service}.main").web
    return web
