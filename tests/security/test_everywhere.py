"""On a whole installation, one machine as its users run it: who signs in at hr is known everywhere, until he is not."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyotp
import pytest
from sqlalchemy import NullPool, create_engine, text

from bianmin.address import Address
from bianmin.children import wait_until
from shared.db import SERVICES
from tests.folders import reachable_folder
from tests.stack import RunningStack, running

PASSWORD = "seven otters swim upstream"
pytestmark = pytest.mark.journey

SECONDS = 5.0
"""In which every service has to know that somebody was signed out."""

ALERTS = {service: f"/{service}/api/alerts" for service in SERVICES}
"""What anybody may read, at each service."""


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """A real installation, with its first administrator made at the command line."""
    with reachable_folder() as folder, running(folder / "data") as stack:
        yield stack


class Admin:
    """The first administrator, by his session."""

    def __init__(self, stack: RunningStack, browsers: ExitStack) -> None:
        self.stack = stack
        self.browsers = browsers
        self.address = Address.read(stack.data)
        password_file = stack.data / "password"
        password_file.write_text(f"{PASSWORD}\n")
        made = stack.bianmin(
            *("create-admin", "--company", "便民物业", "--name", "王敏", "--login", "wang.min"),
            *("--password-file", str(password_file)),
        )
        assert made.returncode == 0, made.stderr
        again = stack.bianmin(
            *("create-admin", "--company", "便民物业", "--name", "王敏", "--login", "wang.min"),
            *("--password-file", str(password_file)),
        )
        assert again.returncode == 1
        proof = {"login": "wang.min", "password": PASSWORD}
        with httpx.Client(base_url=f"{self.address.base_url}/hr/api", timeout=30) as hr:
            assert hr.post("/sessions", json=proof).status_code == 403  # an administrator needs a second factor
            self.secret = hr.post("/totp", json=proof).json()["secret"]
            confirmed = hr.post("/totp/confirm", json=proof | {"code": self.code()})
            self.recovery = confirmed.json()["codes"]
        self.http = self.sign_in(**proof, totp=self.recovery.pop())

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.stack.clock())

    def sign_in(self, **body: Any) -> httpx.Client:
        """A browser with a session of its own."""
        base = self.address.base_url
        browser = self.browsers.enter_context(
            httpx.Client(base_url=base, headers={"Origin": base, "Sec-Fetch-Site": "same-origin"}, timeout=30)
        )
        answer = browser.post("/hr/api/sessions", json=body)
        assert answer.status_code == 201, answer.text
        browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return browser

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.http.post(f"/hr/api{path}", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def hire(self, role: str, department: str) -> tuple[str, httpx.Client]:
        """A person who has signed in, and whom every service knows."""
        person = {"name": role, "role": role, "department": department, "all_sites": True}
        person_id = self.post("/people", person)["id"]
        login = f"{role}-{person_id[-6:]}"
        secret = self.post(f"/people/{person_id}/invitation", {"login": login})["secret"]
        accepted = self.http.post("/hr/api/invitations/accept", json={"secret": secret, "password": PASSWORD})
        assert accepted.status_code == 201, accepted.text
        browser = self.sign_in(login=login, password=PASSWORD)
        await_answers(browser, 200)
        return person_id, browser


@pytest.fixture(scope="module")
def admin(stack: RunningStack) -> Iterator[Admin]:
    with ExitStack() as browsers:
        yield Admin(stack, browsers)


def answers(browser: httpx.Client) -> dict[str, int]:
    return {service: browser.get(path).status_code for service, path in ALERTS.items()}


def await_answers(browser: httpx.Client, status: int, *, seconds: float = 30) -> None:
    wait_until(
        f"all four services to answer {status}",
        lambda: set(answers(browser).values()) == {status},
        seconds=seconds,
    )


def test_a_fresh_installation_has_no_account_and_no_secret_but_its_own(stack: RunningStack) -> None:
    engine = create_engine(Address.read(stack.data).database_url, poolclass=NullPool)
    with engine.connect() as connection:
        for table in ("people", "logins", "login_sessions", "api_tokens", "invitations", "company"):
            assert connection.execute(text(f"SELECT count(*) FROM hr.{table}")).scalar_one() == 0, table
    kept = stack.data / "session-keys" / "private" / "key.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text())["d"]


def leaves(admin: Admin, person_id: str, _: httpx.Client) -> None:
    admin.post(f"/people/{person_id}/leave")


def signs_out(_: Admin, __: str, browser: httpx.Client) -> None:
    assert browser.post("/hr/api/sessions/current/end").status_code == 204


def is_signed_out(admin: Admin, person_id: str, _: httpx.Client) -> None:
    admin.post(f"/people/{person_id}/sessions/end")


def moves(admin: Admin, person_id: str, _: httpx.Client) -> None:
    post = {"role": "desk_head", "department": "front_desk", "all_sites": True, "reason": "升职"}
    admin.post(f"/people/{person_id}/move", post)


@pytest.mark.parametrize("how", [signs_out, leaves, is_signed_out, moves])
def test_every_service_knows_within_five_seconds_and_hr_at_once_that_a_session_ended(
    admin: Admin, how: Callable[[Admin, str, httpx.Client], None]
) -> None:
    person_id, browser = admin.hire("clerk", "front_desk")
    cookie = browser.cookies.get("bianmin")
    how(admin, person_id, browser)
    browser.cookies.set("bianmin", cookie or "", domain="127.0.0.1", path="/")
    assert browser.get(ALERTS["hr"]).status_code == 401
    await_answers(browser, 401, seconds=SECONDS)


def test_every_service_knows_within_five_seconds_that_a_token_was_revoked(admin: Admin, stack: RunningStack) -> None:
    _, browser = admin.hire("clerk", "front_desk")
    wanted = {
        "name": "报表",
        "scopes": [f"{service}:read_policies" for service in ("intake",)] + ["hr:read_sites"],
        "expires_at": (stack.clock() + timedelta(days=30)).isoformat(),
    }
    made = browser.post("/hr/api/tokens", json=wanted).json()
    with httpx.Client(base_url=admin.address.base_url, headers={"Authorization": f"Bearer {made['token']}"}) as program:
        await_answers(program, 403)  # known, and not for this
        assert program.get("/hr/api/sites").status_code == 200
        assert browser.post(f"/hr/api/tokens/{made['view']['id']}/revoke").status_code == 200
        assert program.get("/hr/api/sites").status_code == 401
        await_answers(program, 401, seconds=SECONDS)


def test_sessions_go_on_when_their_key_is_replaced(admin: Admin, stack: RunningStack) -> None:
    _, browser = admin.hire("clerk", "front_desk")
    assert stack.bianmin("rotate-session-key").returncode == 0
    assert set(answers(browser).values()) == {200}
    _, later = admin.hire("worker", "engineering")
    assert set(answers(later).values()) == {200}


def test_a_password_is_asked_for_where_no_file_holds_it(stack: RunningStack, tmp_path: Path) -> None:
    refused = stack.bianmin("create-admin", "--company", "x", "--name", "x", "--login", "xxx")
    assert refused.returncode == 2
    assert "--password-file" in refused.stderr
