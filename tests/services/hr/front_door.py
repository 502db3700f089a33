"""People who sign in at hr as their browsers do it: over TLS, with cookies, from a page of the same host."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pyotp
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import NullPool, create_engine, text

from shared import clock
from shared.broker import broker_client
from shared.db import WORKER, database
from shared.settings import settings

HOST = "https://bianmin.example"
PASSWORD = "seven otters swim upstream"
FOUNDER = "fb5eface91ebdcf221fa69f8267de288dd916c801780d020"
COOKIE = "__Host-bianmin"
PAGE = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}
"""What a browser adds to a request of our own page."""


def forget_tries() -> None:
    """No try to sign in is remembered: the broker is one for all tests, and so are the names of people."""
    broker = broker_client(settings().broker_url)
    for key in broker.scan_iter("rate*login*"):
        broker.delete(key)


class Browser:
    """One person's browser."""

    def __init__(self, web: Any, *, address: str = "203.0.113.7") -> None:
        self.http = TestClient(web, base_url=HOST, client=(address, 50000), headers={"User-Agent": "Firefox 150"})
        self.csrf = ""

    def sign_in(self, login: str, password: str = PASSWORD, totp: str | None = None) -> Response:
        answer = self.http.post(
            "/api/sessions", json={"login": login, "password": password, "totp": totp}, headers=PAGE
        )
        if answer.is_success:
            self.csrf = answer.json()["csrf_token"]
        return answer

    def get(self, path: str) -> Response:
        return self.http.get(f"/api{path}")

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        sent = PAGE | {"X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid4())} | headers
        return self.http.post(f"/api{path}", json=body, headers=sent)

    @property
    def cookie(self) -> str:
        return self.http.cookies.get(COOKIE) or ""


class Door:
    """hr with its founder; people are employed, invited, and set their passwords."""

    def __init__(self, web: Any, url: str) -> None:
        self.web = web
        self.url = url
        self.api = TestClient(web, base_url=HOST)
        body = {"secret": FOUNDER, "name": "便民物业", "administrator": "王敏"}
        founded = self.api.post("/api/company", json=body).json()
        self.administrator, self.token = founded["person_id"], founded["token"]
        self.site_id = self.admin("/sites", {"code": "BK", "name": "碧空苑"}).json()["id"]

    def admin(self, path: str, body: Any = None) -> Response:
        """As the founder, by his token."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        return self.api.post(f"/api{path}", json=body, headers=headers)

    def hire(self, role: str, department: str, *, login: str = "", password: str = PASSWORD) -> str:
        """A person who may sign in under his role's name, or `login`; returns his id."""
        body = {"name": f"{role} 张三", "role": role, "department": department, "site_ids": [self.site_id]}
        person_id: str = self.admin("/people", body).json()["id"]
        answer = self.accept(self.invite(person_id, login or role), password)
        assert answer.status_code == 201, answer.text
        return person_id

    def invite(self, person_id: str, login: str) -> str:
        answer = self.admin(f"/people/{person_id}/invitation", {"login": login})
        assert answer.status_code == 201, answer.text
        secret: str = answer.json()["secret"]
        return secret

    def accept(self, secret: str, password: str = PASSWORD) -> Response:
        return self.api.post("/api/invitations/accept", json={"secret": secret, "password": password})

    def browser(self, **facts: Any) -> Browser:
        return Browser(self.web, **facts)

    def now(self) -> datetime:
        with database("hr", WORKER).session() as session:
            return clock.now(session)

    def move_clock(self, to: datetime) -> None:
        owner = create_engine(self.url, poolclass=NullPool)
        with owner.begin() as connection:
            connection.execute(text("SELECT installation.clock_set(:to, false)"), {"to": to})

    def code(self, secret: str) -> str:
        """What an authenticator shows now."""
        return pyotp.TOTP(secret).at(self.now())

    def enrol(self, login: str, *, totp: str | None = None) -> tuple[str, list[str]]:
        """A confirmed second factor: its secret and the recovery codes; `totp` is a code of the one before."""
        body = {"login": login, "password": PASSWORD, "totp": totp}
        secret = self.api.post("/api/totp", json=body).json()["secret"]
        answer = self.api.post("/api/totp/confirm", json=body | {"code": self.code(secret)})
        assert answer.status_code == 200, answer.text
        return secret, answer.json()["codes"]
