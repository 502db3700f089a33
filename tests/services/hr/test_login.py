"""Invitations, passwords, guesses and the second factor, as browsers meet them [promise 22]."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import argon2
import pytest
import redis
from sqlalchemy import select, text

from services.hr.api import throttle
from services.hr.models import Login
from services.hr.rules import hashing
from shared.broker import broker_client
from shared.db import WORKER, database
from shared.limits import counter
from shared.settings import settings
from tests.cases import cases
from tests.services.hr.front_door import PASSWORD, Browser, Door, forget_tries

OTHER = "nine herons sleep standing"


@pytest.fixture
def door(installation: str) -> Door:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    return Door(web, installation)


def test_a_person_sets_his_own_password_with_an_invitation_and_signs_in(door: Door) -> None:
    person_id = door.hire("clerk", "front_desk")
    browser = door.browser()
    answer = browser.sign_in("clerk")
    assert answer.status_code == 201
    assert answer.json()["person_id"] == person_id
    assert browser.get("/sites").status_code == 200


def test_a_login_name_means_the_same_however_it_is_written(door: Door) -> None:
    door.hire("clerk", "front_desk")
    assert door.browser().sign_in(" Clerk ").status_code == 201


def test_an_invitation_is_accepted_once_and_within_three_days(door: Door) -> None:
    person_id = door.hire("clerk", "front_desk")
    secret = door.invite(person_id, "clerk")
    assert door.accept(secret, OTHER).status_code == 201
    assert door.accept(secret, OTHER).status_code == 404
    late = door.invite(person_id, "clerk")
    door.move_clock(door.now() + timedelta(days=3, seconds=1))
    assert door.accept(late, OTHER).status_code == 404


def test_a_new_invitation_ends_the_one_before(door: Door) -> None:
    person_id = door.hire("clerk", "front_desk")
    first = door.invite(person_id, "clerk")
    door.invite(person_id, "clerk")
    assert door.accept(first, OTHER).status_code == 404


def test_two_people_never_have_the_same_login_name(door: Door) -> None:
    door.hire("clerk", "front_desk", login="front")
    with pytest.raises(AssertionError, match="login_taken"):
        door.hire("worker", "engineering", login="front")


@pytest.mark.parametrize("password", ["short", "password1234", "碧空苑便民物业碧空苑", "clerkclerkclerk", "w" * 200])
def test_a_poor_password_is_refused_with_the_reason_and_the_invitation_stays_open(door: Door, password: str) -> None:
    person_id = door.hire("clerk", "front_desk")
    secret = door.invite(person_id, "clerk")
    answer = door.accept(secret, password)
    assert answer.status_code == 422
    assert password not in answer.text
    assert door.accept(secret, OTHER).status_code == 201


def test_a_password_is_changed_with_the_old_one_and_ends_every_session(door: Door) -> None:
    door.hire("clerk", "front_desk")
    browser = door.browser()
    browser.sign_in("clerk")
    body = {"login": "clerk", "password": PASSWORD, "new_password": OTHER}
    assert door.api.post("/api/password", json=body | {"password": OTHER}).status_code == 401
    assert browser.get("/sites").status_code == 200
    assert door.api.post("/api/password", json=body).status_code == 204
    assert browser.get("/sites").status_code == 401
    assert door.browser().sign_in("clerk").status_code == 401
    assert door.browser().sign_in("clerk", OTHER).status_code == 201


def test_no_password_and_no_secret_is_kept_or_logged(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    person_id = door.hire("clerk", "front_desk")
    browser = door.browser()
    browser.sign_in("clerk")
    browser.sign_in("clerk", OTHER)
    secret = door.invite(person_id, "clerk")
    with database("hr", WORKER).session() as session:
        rows = session.execute(
            text(
                "SELECT to_jsonb(l)::text FROM logins l UNION SELECT to_jsonb(i)::text FROM "
                "invitations i UNION SELECT to_jsonb(s)::text FROM login_sessions s"
            )
        )
        held = " ".join(rows.scalars())
    printed = caplog.text
    assert "login_refused" in printed
    for hidden in (PASSWORD, OTHER, secret, browser.cookie):
        assert hidden not in held
        assert hidden not in printed


def test_an_unknown_name_a_wrong_password_and_one_who_left_are_answered_alike(door: Door) -> None:
    door.hire("clerk", "front_desk")
    gone = door.hire("worker", "engineering")
    door.admin(f"/people/{gone}/leave")
    answers = [
        door.browser().sign_in("nobody"),
        door.browser().sign_in("clerk", OTHER),
        door.browser().sign_in("worker"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_the_work_for_an_unknown_name_is_that_for_a_wrong_password(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.hire("clerk", "front_desk")
    checked: list[argon2.Parameters] = []
    verify = argon2.PasswordHasher.verify

    def noting(self: argon2.PasswordHasher, held: str, password: str) -> bool:
        checked.append(argon2.extract_parameters(held))
        return verify(self, held, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noting)
    door.browser().sign_in("clerk", OTHER)
    door.browser().sign_in("nobody", OTHER)
    assert len(checked) == 2
    assert checked[0] == checked[1]


def test_of_two_hundred_guesses_ten_are_tried_and_other_accounts_and_open_sessions_go_on(door: Door) -> None:
    door.hire("clerk", "front_desk")
    door.hire("worker", "engineering")
    known = door.browser()
    assert known.sign_in("clerk").status_code == 201  # one of the ten

    def guess(number: int) -> int:
        return (
            Browser(door.web, address=f"198.51.100.{number % 40}")
            .sign_in("clerk", f"guess number {number}")
            .status_code
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(200)))
    assert sorted(set(answers)) == [401, 429]
    assert answers.count(401) == 9
    assert known.get("/sites").status_code == 200
    assert known.post("/sessions/renew").status_code == 200
    assert door.browser().sign_in("worker").status_code == 201
    assert door.browser().sign_in("clerk").status_code == 429


def test_of_thousands_of_guesses_from_everywhere_ten_are_tried_in_any_quarter_of_an_hour_and_nobody_else_is_hindered(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guess every nine seconds: a hundred of them fall into each quarter of an hour."""
    monkeypatch.setattr(hashing, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passing = SimpleNamespace(now=door.now().timestamp())
    monkeypatch.setattr("limits.storage.redis.time", SimpleNamespace(time=lambda: passing.now))
    for login, department in (("clerk", "front_desk"), ("worker", "engineering")):
        door.hire(login, department)
    guesses, tried = min(cases(500), 10_000), []
    for number in range(guesses):
        passing.now += 9
        guesser = Browser(door.web, address=f"198.{number // 250 % 250}.{number % 250}.1")
        status = guesser.sign_in("clerk", f"guess number {number}").status_code
        assert status in {401, 429}
        if status == 401:
            tried.append(passing.now)
        if number % 50 == 49:
            assert Browser(door.web, address=f"203.0.113.{number % 250}").sign_in("worker").status_code == 201
    assert all(later - first >= 15 * 60 for first, later in zip(tried, tried[10:], strict=False))
    assert len(tried) >= 10 * (guesses * 9 // (15 * 60 + 9 * 10))
    assert door.browser().sign_in("clerk").status_code == 429
    passing.now += 15 * 60 + 1
    assert door.browser().sign_in("clerk").status_code == 201


def test_the_audit_log_says_how_somebody_signed_in_and_from_where(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIANMIN_TRUSTED_PROXIES", "203.0.113.0/24")
    settings.cache_clear()
    door.hire("clerk", "front_desk")
    browser = door.browser()
    browser.http.headers["X-Forwarded-For"] = "198.51.100.9"
    assert browser.sign_in("clerk").status_code == 201
    with database("hr", WORKER).session() as session:
        noted = session.execute(text("SELECT table_name, cause, address FROM audit_log ORDER BY id")).all()
    assert ("login_sessions", "POST /sessions", "198.51.100.9") in noted
    assert ("logins", "POST /invitations/accept", "testclient") in noted
    assert "by hand" not in {cause for _, cause, _ in noted}


def test_an_address_has_a_hundred_tries_whatever_the_names(door: Door) -> None:
    allowed = sum(_may(f"name{n}", "198.51.100.1") for n in range(130))
    assert allowed == 100
    assert _may("name1", "198.51.100.2")


def _may(login: str, address: str) -> bool:
    try:
        throttle.check_may_try(login, address)
    except throttle.TooManyLogins:
        return False
    return True


def test_tries_are_remembered_when_the_web_process_starts_again(door: Door) -> None:
    assert [_may("clerk", "a") for _ in range(11)] == [True] * 10 + [False]
    counter.cache_clear()
    assert not _may("clerk", "a")


def test_tries_are_counted_in_the_process_and_an_error_is_logged_while_the_broker_is_away(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BIANMIN_BROKER_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    assert [_may("clerk", "a") for _ in range(11)] == [True] * 10 + [False]
    assert "rates_counted_alone" in caplog.text


def test_the_window_slides_so_that_a_locked_account_opens_again(door: Door) -> None:
    """What the broker holds of the tries is a quarter of an hour old: it is then as if they had not been."""
    for _ in range(11):
        _may("clerk", "a")
    broker: redis.Redis = broker_client(settings().broker_url)
    (account,) = broker.scan_iter("rate*login-account*")
    assert 0 < broker.ttl(account) <= 15 * 60
    tries = [float(moment) for moment in broker.lrange(account, 0, -1)]
    assert len(tries) == 10
    broker.delete(account)
    broker.rpush(account, *(moment - 15 * 60 for moment in tries))
    assert _may("clerk", "a")


def test_a_hash_of_less_cost_is_replaced_when_its_person_signs_in(door: Door) -> None:
    door.hire("clerk", "front_desk")
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with database("hr", WORKER).session() as session:
        session.execute(text("UPDATE logins SET password_hash = :cheap"), {"cheap": cheap})
    assert door.browser().sign_in("clerk").status_code == 201
    with database("hr", WORKER).session() as session:
        kept = session.execute(text("SELECT password_hash FROM logins")).scalar_one()
    assert argon2.extract_parameters(kept).memory_cost == 47104
    assert door.browser().sign_in("clerk").status_code == 201


def test_whoever_moves_money_signs_in_with_a_second_factor_alone(door: Door) -> None:
    door.hire("cashier", "finance")
    refused = door.browser().sign_in("cashier")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:bianmin:problem:totp_needed_first")
    secret, _ = door.enrol("cashier")
    missing = door.browser().sign_in("cashier")
    assert (missing.status_code, missing.json()["type"]) == (401, "urn:bianmin:problem:totp_needed")
    door.move_clock(door.now() + timedelta(seconds=30))
    assert door.browser().sign_in("cashier", totp="000000").json()["type"] == "urn:bianmin:problem:login_refused"
    code = door.code(secret)
    assert door.browser().sign_in("cashier", totp=code).status_code == 201
    assert door.browser().sign_in("cashier", totp=code).status_code == 401  # a code works once


def test_the_code_that_confirmed_a_factor_signs_nobody_in(door: Door) -> None:
    door.hire("clerk", "front_desk")
    secret, _ = door.enrol("clerk")
    assert door.browser().sign_in("clerk", totp=door.code(secret)).status_code == 401


def test_the_secret_of_a_second_factor_is_kept_sealed(door: Door) -> None:
    door.hire("clerk", "front_desk")
    secret, _ = door.enrol("clerk")
    with database("hr", WORKER).session() as session:
        (held,) = session.execute(
            text("SELECT to_jsonb(l) FROM logins l WHERE totp_confirmed_at IS NOT NULL")
        ).scalars()
        (login,) = session.scalars(select(Login).where(Login.totp_confirmed_at.is_not(None)))
        assert login.totp_secret == secret
    assert secret not in str(held)


def test_one_of_two_at_once_uses_a_code(door: Door) -> None:
    door.hire("clerk", "front_desk")
    secret, codes = door.enrol("clerk")
    door.move_clock(door.now() + timedelta(seconds=30))
    for code in (door.code(secret), codes[0]):
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(lambda one: door.browser().sign_in("clerk", totp=one).status_code, [code, code])
        assert sorted(answers) == [201, 401]


def test_each_recovery_code_stands_in_for_the_factor_once(door: Door) -> None:
    door.hire("clerk", "front_desk")
    _, codes = door.enrol("clerk")
    assert len(codes) == 10
    assert door.browser().sign_in("clerk", totp=codes[3].upper()).status_code == 201
    assert door.browser().sign_in("clerk", totp=codes[3]).status_code == 401
    assert door.browser().sign_in("clerk", totp=codes[4]).status_code == 201
    with database("hr", WORKER).session() as session:
        held = session.execute(text("SELECT string_agg(code_hash, ' ') FROM recovery_codes")).scalar_one()
    assert not any(code in held for code in codes)


def test_another_factor_is_enrolled_with_the_one_before(door: Door) -> None:
    door.hire("clerk", "front_desk")
    _, codes = door.enrol("clerk")
    body = {"login": "clerk", "password": PASSWORD}
    assert door.api.post("/api/totp", json=body).status_code == 401
    assert door.api.post("/api/totp", json=body | {"totp": codes[0]}).status_code == 200


def test_a_factor_counts_once_its_authenticator_showed_a_right_code(door: Door) -> None:
    door.hire("clerk", "front_desk")
    body = {"login": "clerk", "password": PASSWORD}
    door.api.post("/api/totp", json=body)
    assert door.api.post("/api/totp/confirm", json=body | {"code": "000000"}).status_code == 409
    assert door.browser().sign_in("clerk").status_code == 201


def test_a_new_password_leaves_the_second_factor_as_it_is(door: Door) -> None:
    person_id = door.hire("clerk", "front_desk")
    door.enrol("clerk")
    assert door.accept(door.invite(person_id, "clerk"), OTHER).status_code == 201
    assert door.browser().sign_in("clerk", OTHER).json()["type"] == "urn:bianmin:problem:totp_needed"


def test_a_company_founded_with_a_login_has_no_token(installation: str, template: str) -> None:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    api = Browser(web)
    body = {"secret": "fb5eface91ebdcf221fa69f8267de288dd916c801780d020", "name": "便民物业", "administrator": "王敏"}
    assert api.http.post("/api/company", json=body | {"login": "admin"}).status_code == 422
    assert api.http.post("/api/company", json=body | {"login": "admin", "password": "password1234"}).status_code == 422
    founded = api.http.post("/api/company", json=body | {"login": "admin", "password": PASSWORD})
    assert (founded.status_code, founded.json()["token"]) == (201, None)
    refused = api.sign_in("admin")
    assert refused.json()["type"] == "urn:bianmin:problem:totp_needed_first"


def test_a_fresh_installation_has_nobody_who_could_sign_in(installation: str) -> None:
    for service in ("intake", "dispatch", "finance", "hr"):
        with database(service, WORKER).session() as session:
            counted = "SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM api_tokens)"
            assert session.execute(text(counted)).scalar_one() == 0
    with database("hr", WORKER).session() as session:
        assert session.execute(text("SELECT count(*) FROM logins")).scalar_one() == 0
