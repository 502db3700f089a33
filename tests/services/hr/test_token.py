"""API tokens: what they may do, for how long, and who may issue them [promise 21]."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text

from shared.db import WORKER, database
from tests.services.hr.front_door import Browser, Door, forget_tries


@pytest.fixture
def door(installation: str) -> Door:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    return Door(web, installation)


@pytest.fixture
def clerk(door: Door) -> Browser:
    door.hire("clerk", "front_desk")
    browser = door.browser()
    browser.sign_in("clerk")
    return browser


def wanted(door: Door, *scopes: str, days: int = 30) -> dict[str, Any]:
    return {"name": "报表", "scopes": list(scopes), "expires_at": (door.now() + timedelta(days=days)).isoformat()}


def get(door: Door, path: str, token: str) -> Response:
    return door.api.get(f"/api{path}", headers={"Authorization": f"Bearer {token}"})


def test_a_token_does_what_its_scopes_say_and_nothing_else(door: Door, clerk: Browser) -> None:
    made = clerk.post("/tokens", wanted(door, "hr:read_sites")).json()
    assert made["token"].startswith("bianmin_")
    assert get(door, "/sites", made["token"]).status_code == 200
    refused = get(door, "/people", made["token"])
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:bianmin:problem:not_in_scope")
    assert get(door, "/tokens", made["token"]).status_code == 403


def test_a_token_may_watch_and_nothing_else(door: Door) -> None:
    """What Prometheus is given."""
    token = door.admin("/tokens", wanted(door, "hr:watch", "intake:watch")).json()["token"]
    watching = {"Authorization": f"Bearer {token}"}
    assert door.api.get("/ops/metrics", headers=watching).status_code == 200
    assert get(door, "/people", token).status_code == 403


def test_a_token_is_worth_no_more_than_its_persons_role(door: Door, clerk: Browser) -> None:
    assert clerk.post("/tokens", wanted(door, "hr:read_wages")).status_code == 422
    token = clerk.post("/tokens", wanted(door, "hr:read_sites", "hr:open_case")).json()["token"]
    person_id = clerk.get("/sessions/current").json()["person_id"]
    post = {"role": "worker", "department": "engineering", "site_ids": [door.site_id], "reason": "调岗"}
    assert door.admin(f"/people/{person_id}/move", post).status_code == 200
    assert get(door, "/sites", token).status_code == 200
    headers = {"Authorization": f"Bearer {token}"}
    refused = door.api.post("/api/cases", json={}, headers=headers)
    assert refused.json()["type"] == "urn:bianmin:problem:role_not_allowed"


def test_a_token_is_listed_by_its_name_and_never_shown_again(door: Door, clerk: Browser) -> None:
    made = clerk.post("/tokens", wanted(door, "hr:read_sites")).json()
    listed = clerk.get("/tokens")
    assert [(one["name"], one["scopes"]) for one in listed.json()["items"]] == [("报表", ["hr:read_sites"])]
    assert made["token"] not in listed.text
    with database("hr", WORKER).session() as session:
        rows = session.execute(text("SELECT string_agg(to_jsonb(t)::text, '') FROM api_tokens t")).scalar_one()
        said = session.execute(text("SELECT string_agg(body::text, '') FROM outbox")).scalar_one()
    assert made["token"] not in rows + said


def test_a_revoked_token_an_old_one_and_one_of_somebody_who_left_are_worth_nothing(door: Door, clerk: Browser) -> None:
    body = wanted(door, "hr:read_sites")
    first, second, third = (clerk.post("/tokens", body).json() for _ in range(3))
    assert clerk.post(f"/tokens/{first['view']['id']}/revoke").status_code == 200
    assert get(door, "/sites", first["token"]).status_code == 401
    assert clerk.post(f"/tokens/{first['view']['id']}/revoke").status_code == 409
    assert door.admin(f"/tokens/{second['view']['id']}/revoke").status_code == 200
    assert get(door, "/sites", second["token"]).status_code == 401
    assert get(door, "/sites", third["token"]).status_code == 200
    person_id = clerk.get("/sessions/current").json()["person_id"]
    door.admin(f"/people/{person_id}/leave")
    assert get(door, "/sites", third["token"]).status_code == 401


def test_a_token_is_over_at_its_end(door: Door, clerk: Browser) -> None:
    token = clerk.post("/tokens", wanted(door, "hr:read_sites", days=1)).json()["token"]
    door.move_clock(door.now() + timedelta(days=1))
    assert get(door, "/sites", token).status_code == 401
    assert clerk.sign_in("clerk").status_code == 201
    assert clerk.post("/tokens", wanted(door, "hr:read_sites", days=400)).status_code == 422


def test_nobody_revokes_anothers_token(door: Door, clerk: Browser) -> None:
    door.hire("worker", "engineering")
    worker = door.browser()
    worker.sign_in("worker")
    made = worker.post("/tokens", wanted(door, "hr:read_sites")).json()
    assert clerk.post(f"/tokens/{made['view']['id']}/revoke").status_code == 404
    assert get(door, "/sites", made["token"]).status_code == 200


def test_a_use_is_noted_once_a_minute(door: Door, clerk: Browser) -> None:
    token = clerk.post("/tokens", wanted(door, "hr:read_sites")).json()["token"]

    def used() -> Any:
        return clerk.get("/tokens").json()["items"][0]["last_used_at"]

    assert used() is None
    get(door, "/sites", token)
    first = used()
    assert first is not None
    door.move_clock(door.now() + timedelta(seconds=59))
    get(door, "/sites", token)
    assert used() == first
    door.move_clock(door.now() + timedelta(seconds=2))
    get(door, "/sites", token)
    assert used() > first


def test_a_service_account_reads_and_acknowledges_payouts_and_never_signs_in(door: Door) -> None:
    account = door.admin("/service-accounts", {"name": "金蝶", "all_sites": True}).json()["id"]
    made = door.admin(f"/people/{account}/tokens", wanted(door, "payouts:read", "payouts:acknowledge")).json()
    assert get(door, "/deliveries", made["token"]).status_code == 200
    assert get(door, "/payouts", made["token"]).status_code == 200
    assert get(door, f"/people/{account}/wages", made["token"]).status_code == 403
    assert door.admin(f"/people/{account}/tokens", wanted(door, "hr:set_wage")).status_code == 422
    assert door.admin(f"/people/{account}/invitation", {"login": "kingdee"}).status_code == 409
    assert door.admin(f"/people/{account}/token").status_code == 409


def test_nobody_issues_a_token_that_acts_as_another_person(door: Door) -> None:
    person_id = door.hire("clerk", "front_desk")
    refused = door.admin(f"/people/{person_id}/tokens", wanted(door, "hr:read_sites"))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bianmin:problem:not_a_service_account")


def test_in_a_real_installation_nobody_issues_the_one_token_of_another_person(door: Door, committing: Any) -> None:
    person_id = door.hire("clerk", "front_desk")
    assert door.admin(f"/people/{person_id}/token").status_code == 200  # this is a simulation
    with committing.begin() as owner:
        held = owner.execute(text("SELECT simulated_at FROM installation.clock")).scalar_one()
        owner.execute(text("UPDATE installation.clock SET simulated = false, simulated_at = NULL"))
    try:
        refused = door.admin(f"/people/{person_id}/token")
        own = door.admin(f"/people/{door.administrator}/token")
    finally:
        with committing.begin() as owner:
            owner.execute(text("UPDATE installation.clock SET simulated = true, simulated_at = :at"), {"at": held})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:bianmin:problem:only_in_a_simulation")
    assert own.status_code == 200
