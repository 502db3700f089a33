"""Sessions: what the cookie is, when it ends, and that every service hears [promise 21]."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jws
from joserfc.jwk import OKPKey
from sqlalchemy import text

from shared import session_keys
from shared.db import WORKER, database
from shared.sessions import claims_in
from shared.settings import settings
from tests.services.hr.front_door import COOKIE, PAGE, PASSWORD, Browser, Door, forget_tries


@pytest.fixture
def door(installation: str) -> Door:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    return Door(web, installation)


@pytest.fixture
def clerk(door: Door) -> Browser:
    """The browser of a clerk who has signed in."""
    door.hire("clerk", "front_desk")
    browser = door.browser()
    assert browser.sign_in("clerk").status_code == 201
    return browser


def with_cookie(clerk: Browser, cookie: str) -> int:
    """What hr answers to another cookie."""
    api = TestClient(clerk.http.app, base_url="https://bianmin.example")
    return api.get("/api/sites", headers={"Cookie": f"{COOKIE}={cookie}".encode("latin-1")}).status_code


def told(kind: str) -> list[Any]:
    with database("hr", WORKER).session() as session:
        query = text("SELECT body FROM outbox WHERE type = :kind AND receiver = 'intake' ORDER BY sequence")
        return list(session.execute(query, {"kind": kind}).scalars())


def test_the_cookie_is_bound_to_the_host_to_tls_and_to_no_script(door: Door) -> None:
    door.hire("clerk", "front_desk")
    said = door.browser().sign_in("clerk").headers["set-cookie"]
    name, *attributes = [part.strip() for part in said.split(";")]
    assert name.startswith("__Host-bianmin=")
    assert {attribute.lower() for attribute in attributes} == {"httponly", "path=/", "samesite=lax", "secure"}


def test_on_this_very_machine_without_tls_the_cookie_has_no_prefix_and_nowhere_else(door: Door) -> None:
    door.hire("clerk", "front_desk")
    body = {"login": "clerk", "password": PASSWORD}
    here = TestClient(door.web, base_url="http://127.0.0.1:8000")
    said = here.post("/api/sessions", json=body).headers["set-cookie"]
    assert said.startswith("bianmin=")
    assert "secure" not in said.lower()
    assert here.get("/api/sites").status_code == 200
    there = TestClient(door.web, base_url="http://bianmin.example")
    assert there.post("/api/sessions", json=body).headers["set-cookie"].startswith("__Host-bianmin=")
    tossed = TestClient(door.web, base_url="https://bianmin.example", cookies={"bianmin": said.split(";")[0][8:]})
    assert tossed.get("/api/sites").status_code == 401  # whoever owns a neighbouring host can set that one


def test_a_session_id_has_256_random_bits_and_is_another_at_each_login(door: Door, clerk: Browser) -> None:
    again = door.browser()
    again.sign_in("clerk")
    ids = {claims.session_id for claims in (claims_in(clerk.cookie), claims_in(again.cookie)) if claims}
    assert len(ids) == 2
    assert all(len(base64.urlsafe_b64decode(one + "=")) == 32 for one in ids)


def test_a_cookie_changed_in_any_part_or_signed_by_another_key_is_nobodys(clerk: Browser) -> None:
    header, payload, signature = clerk.cookie.split(".")
    assert with_cookie(clerk, clerk.cookie) == 200
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    longer = base64.urlsafe_b64encode(json.dumps(said | {"idle": said["idle"] + 60}).encode()).decode().rstrip("=")
    strange = OKPKey.generate_key(
        "Ed25519", parameters={"kid": json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]}
    )
    forged = jws.serialize_compact(
        {"alg": "Ed25519", "kid": strange.kid}, json.dumps(said), strange, algorithms=["Ed25519"]
    )
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    other_end = ("A" if signature[0] != "A" else "B") + signature[1:]
    for cookie in (
        f"{header}.{longer}.{signature}",
        f"{header}.{payload}.{other_end}",
        f"{unsigned}.{payload}.",
        forged,
        "",
        "a.b.c",
        "x",
        "." * 3,
        clerk.cookie + "é",
    ):
        assert with_cookie(clerk, cookie) == 401, cookie


def test_a_session_unused_is_over_and_a_renewed_one_goes_on_to_its_absolute_end(door: Door, clerk: Browser) -> None:
    door.move_clock(door.now() + timedelta(hours=7, minutes=59))
    assert clerk.post("/sessions/renew").status_code == 200
    clerk.csrf = clerk.get("/sessions/current").json()["csrf_token"]
    door.move_clock(door.now() + timedelta(hours=4))
    assert clerk.get("/sites").status_code == 200
    assert clerk.post("/sessions/renew").status_code == 200
    door.move_clock(door.now() + timedelta(minutes=1, seconds=1))
    assert clerk.get("/sites").status_code == 401
    again = door.browser()
    again.sign_in("clerk")
    door.move_clock(door.now() + timedelta(hours=8, seconds=1))
    assert again.get("/sites").status_code == 401


def test_a_cashiers_session_is_over_after_a_quarter_of_an_hour(door: Door) -> None:
    door.hire("cashier", "finance")
    _, codes = door.enrol("cashier")
    browser = door.browser()
    browser.sign_in("cashier", totp=codes[0])
    door.move_clock(door.now() + timedelta(minutes=14))
    assert browser.get("/sites").status_code == 200
    door.move_clock(door.now() + timedelta(minutes=2))
    assert browser.get("/sites").status_code == 401


def test_renewing_gives_another_id_and_ends_the_old_one_everywhere(door: Door, clerk: Browser) -> None:
    old = clerk.cookie
    assert clerk.post("/sessions/renew").status_code == 200
    assert clerk.cookie != old
    assert with_cookie(clerk, old) == 401
    assert clerk.get("/sites").status_code == 200
    assert len(told("SessionEnded")) == 1


def test_of_two_renewals_at_once_one_wins(clerk: Browser) -> None:
    cookie = clerk.cookie

    def renew(_: int) -> int:
        headers = PAGE | {"X-CSRF-Token": clerk.csrf, "Cookie": f"{COOKIE}={cookie}"}
        return (
            TestClient(clerk.http.app, base_url="https://bianmin.example")
            .post("/api/sessions/renew", headers=headers)
            .status_code
        )

    with ThreadPoolExecutor(2) as pool:
        first, second = sorted(pool.map(renew, range(2)))
    assert first == 200
    assert second in (401, 404)


def test_whoever_signs_out_is_out_at_once_and_the_browser_forgets(clerk: Browser) -> None:
    cookie = clerk.cookie
    assert clerk.post("/sessions/current/end").status_code == 204
    assert clerk.cookie == ""
    assert with_cookie(clerk, cookie) == 401
    (ended,) = told("SessionEnded")
    assert cookie not in json.dumps(ended)


def test_a_person_lists_his_sessions_and_ends_one_or_all(door: Door, clerk: Browser) -> None:
    other = door.browser()
    other.sign_in("clerk")
    listed = clerk.get("/sessions").json()["items"]
    assert [one["agent"] for one in listed] == ["Firefox 150"] * 2
    assert clerk.post(f"/sessions/{listed[1]['id']}/end").status_code == 204
    assert (clerk.get("/sites").status_code, other.get("/sites").status_code) == (200, 401)
    assert clerk.post(f"/sessions/{listed[1]['id']}/end").status_code == 404
    other.sign_in("clerk")
    assert clerk.post("/sessions/end").status_code == 204
    assert other.get("/sites").status_code == 401
    assert other.sign_in("clerk").status_code == 201  # he may come back
    assert other.get("/sites").status_code == 200


def test_nobody_ends_anothers_session_but_an_administrator_all_of_them(door: Door, clerk: Browser) -> None:
    worker_id = door.hire("worker", "engineering")
    worker = door.browser()
    worker.sign_in("worker")
    (session,) = worker.get("/sessions").json()["items"]
    assert clerk.post(f"/sessions/{session['id']}/end").status_code == 404
    assert clerk.post(f"/people/{worker_id}/sessions/end").status_code == 403
    assert door.admin(f"/people/{worker_id}/sessions/end").status_code == 204
    assert worker.get("/sites").status_code == 401
    assert clerk.get("/sites").status_code == 200


@pytest.mark.parametrize("how", ["leave", "move", "invitation"])
def test_sessions_end_with_the_post_they_were_begun_in_and_with_the_password(
    door: Door, clerk: Browser, how: str
) -> None:
    person_id = clerk.get("/sessions/current").json()["person_id"]
    if how == "move":
        post = {"role": "desk_head", "department": "front_desk", "site_ids": [door.site_id], "reason": "升职"}
        assert door.admin(f"/people/{person_id}/move", post).status_code == 200
    elif how == "leave":
        assert door.admin(f"/people/{person_id}/leave").status_code == 200
    else:
        door.accept(door.invite(person_id, "clerk"), "nine herons sleep standing")
    assert clerk.get("/sites").status_code == 401
    assert told("PersonChanged")[-1]["session_epoch"] > 0


def test_without_its_key_nobody_signs_in_and_no_cookie_counts(
    door: Door, clerk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIANMIN_SESSION_KEYS")
    settings.cache_clear()
    assert clerk.get("/sites").status_code == 401
    assert door.browser().sign_in("clerk").status_code == 503


def test_a_new_key_is_used_at_once_and_sessions_of_the_one_before_go_on(
    door: Door, clerk: Browser, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_keys.make_session_keys(tmp_path)
    monkeypatch.setenv("BIANMIN_SESSION_KEYS", str(tmp_path))
    settings.cache_clear()
    assert clerk.get("/sites").status_code == 401  # another installation's
    first, second = door.browser(), door.browser()
    first.sign_in("clerk")
    session_keys.rotate_keys(tmp_path)
    second.sign_in("clerk")
    assert [browser.get("/sites").status_code for browser in (first, second)] == [200, 200]
    session_keys.rotate_keys(tmp_path)
    assert [browser.get("/sites").status_code for browser in (first, second)] == [401, 200]
    assert (tmp_path / session_keys.PRIVATE).stat().st_mode & 0o077 == 0


def test_sessions_that_would_be_over_anyhow_are_forgotten_by_every_service(door: Door, clerk: Browser) -> None:
    clerk.post("/sessions/current/end")
    door.move_clock(door.now() + timedelta(hours=12, seconds=1))
    clerk.sign_in("clerk")
    clerk.post("/sessions/current/end")
    with database("hr", WORKER).session() as session:
        assert session.execute(text("SELECT count(*) FROM ended_sessions")).scalar_one() == 1
