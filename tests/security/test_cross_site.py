"""No other site can make a browser change anything in any service, and reading changes nothing [promise 21]."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import text

from shared.csrf import csrf_token
from shared.db import SERVICES, WORKER, database
from shared.ids import new_id
from shared.sessions import Claims
from tests.conftest import START
from tests.people import employ, open_site

HOST = "https://bianmin.example"
PAGE = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}

PROVE_THEMSELVES = frozenset(
    {
        "/api/company",
        "/api/sessions",
        "/api/demo/sessions",
        "/api/invitations/accept",
        "/api/password",
        "/api/totp",
        "/api/totp/confirm",
        "/login",
        "/language",
        "/demo/sessions",
        "/invitation",
        "/password",
        "/second-factor",
        "/second-factor/confirm",
    }
)
"""hr's routes that look at no cookie: each asks for a secret or a password, is a simulation's, or changes nothing."""

FORMS_OF_NOBODY = ("/login", "/language", "/invitation", "/password", "/second-factor", "/second-factor/confirm")
"""Forms that need no session."""


def claims_of(person_id: UUID) -> Claims:
    start = int(START.timestamp())
    return Claims(f"session of {new_id()}", person_id, 0, start, start + 900, start + 43_200)


class Visitor:
    """Somebody who has signed in, at one service on its own."""

    def __init__(self, service: str, client: TestClient, person_id: UUID) -> None:
        self.service = service
        self.client = client
        self.claims, self.other = claims_of(person_id), claims_of(person_id)
        self.cookie = {"Cookie": f"__Host-bianmin={self.claims.signed()}"}

    def routes(self, *, safe: bool) -> list[tuple[str, str]]:
        """Every method and path of the service that changes something, or that does not."""
        found = iter_route_contexts(import_module(f"services.{self.service}.main").web.routes)
        return [
            (method, str(context.path))
            for context in found
            if isinstance(context.original_route, APIRoute)
            for method in context.original_route.methods
            if (method == "GET") is safe
        ]

    def send(self, method: str, path: str, headers: dict[str, str]) -> Any:
        filled = re.sub(r"{[^}]+}", str(new_id()), path)
        body = {} if method == "GET" else {"json": {}}
        key = {"Idempotency-Key": str(new_id())}
        return self.client.request(method, filled, headers=self.cookie | key | headers, **body)

    def contents(self) -> dict[str, Any]:
        """Each table of the service: how many rows, and a sum over all they hold."""
        with database(self.service, WORKER).session() as session:
            tables = session.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
            ).scalars()
            return {
                table: session.execute(text(f"SELECT count(*), sum(hashtext(t::text)) FROM {table} t")).one()
                for table in tables
            }


@pytest.fixture
def visitor(installation: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    service = request.param
    with database(service, WORKER).session() as session:
        open_site(session)
        person_id = employ(session, "administrator", "administration").person_id
    with TestClient(import_module(f"services.{service}.main").web, base_url=HOST) as client:
        yield Visitor(service, client, person_id)


FORGERIES = ("no token", "token of another session", "another site", "a neighbouring site", "no origin", "typed in")


def forged(visitor: Visitor, how: str) -> dict[str, str]:
    """What a request of our page is like, but for one thing."""
    headers = PAGE | {"X-CSRF-Token": csrf_token(visitor.claims.session_id)}
    match how:
        case "no token":
            del headers["X-CSRF-Token"]
        case "token of another session":
            headers["X-CSRF-Token"] = csrf_token(visitor.other.session_id)
        case "another site":
            headers |= {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        case "a neighbouring site":
            headers |= {"Origin": "https://shop.bianmin.example", "Sec-Fetch-Site": "same-site"}
        case "no origin":
            del headers["Origin"]
        case "typed in":
            headers |= {"Origin": "null", "Sec-Fetch-Site": "none"}
    return headers


@pytest.mark.parametrize("visitor", SERVICES, indirect=True)
def test_no_route_that_changes_something_takes_a_forged_request(visitor: Visitor) -> None:
    before = visitor.contents()
    tried = 0
    for method, path in visitor.routes(safe=False):
        if path in PROVE_THEMSELVES:
            continue
        for how in FORGERIES:
            answer = visitor.send(method, path, forged(visitor, how))
            assert answer.status_code == 403, f"{method} {path} {how}: {answer.text}"
            assert answer.json()["type"] in {
                "urn:bianmin:problem:cross_site",
                "urn:bianmin:problem:wrong_csrf_token",
            }, f"{method} {path} {how}: {answer.text}"
            tried += 1
    assert tried >= 5 * len(FORGERIES)
    assert visitor.contents() == before


@pytest.mark.parametrize("visitor", ["hr"], indirect=True)
@pytest.mark.parametrize("path", FORMS_OF_NOBODY)
@pytest.mark.parametrize("how", ["another site", "a neighbouring site", "no origin", "typed in"])
def test_no_other_site_sends_a_form_for_somebody_who_has_not_signed_in(visitor: Visitor, path: str, how: str) -> None:
    assert visitor.send("POST", path, forged(visitor, how)).status_code == 403


@pytest.mark.parametrize("visitor", SERVICES, indirect=True)
def test_the_same_requests_from_a_page_of_ours_are_looked_at(visitor: Visitor) -> None:
    ours = PAGE | {"X-CSRF-Token": csrf_token(visitor.claims.session_id)}
    for method, path in visitor.routes(safe=False):
        if path.startswith("/o/"):
            continue  # an owner has no session: his page has a token of its own (tests/services/intake/test_owner.py)
        answer = visitor.send(method, path, ours)
        assert "cross_site" not in answer.text, path
        assert "wrong_csrf_token" not in answer.text, path
        assert answer.status_code < 500, path
        if answer.is_success:  # whoever ended his sessions by it has another
            visitor.claims = claims_of(visitor.claims.person_id)


@pytest.mark.parametrize("visitor", SERVICES, indirect=True)
def test_reading_changes_nothing(visitor: Visitor) -> None:
    before = visitor.contents()
    read = [visitor.send("GET", path, {}).status_code for _, path in visitor.routes(safe=True)]
    assert read.count(200) >= 5
    assert visitor.contents() == before


@pytest.mark.parametrize("visitor", ["intake"], indirect=True)
def test_a_bearer_token_needs_no_page_because_no_other_site_can_send_one(visitor: Visitor) -> None:
    with database("intake", WORKER).session() as session:
        employ(session, "administrator", "administration", token="a token")
    sent = {"Authorization": "Bearer a token", "Sec-Fetch-Site": "cross-site"}
    answer = visitor.client.post("/api/policies/CallbackPolicy", json={}, headers=sent)
    assert answer.status_code == 422


@pytest.mark.parametrize("visitor", ["hr"], indirect=True)
def test_no_other_site_signs_anybody_in(visitor: Visitor) -> None:
    body = {"login": "somebody", "password": "seven otters swim upstream"}
    for how in ("another site", "a neighbouring site", "no origin", "typed in"):
        answer = visitor.client.post("/api/sessions", json=body, headers=forged(visitor, how))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:bianmin:problem:cross_site"), how
        somebody = {"person_id": str(visitor.claims.person_id)}
        answer = visitor.client.post("/api/demo/sessions", json=somebody, headers=forged(visitor, how))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:bianmin:problem:cross_site"), how
