"""Signing on by OpenID Connect at a real provider, as browsers do it [promise 22]."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from httpx2 import Response
from sqlalchemy import text

from services.hr.actions import sign_on as sign_on_actions
from services.hr.models import Person
from services.hr.rules.sign_on import HOME, Identity, SignOnRefused
from shared.db import WORKER, database
from shared.settings import settings
from tests.services.hr.front_door import COOKIE, Door, forget_tries
from tests.sign_on.world import (
    CLIENT,
    RETURN,
    SECRET,
    asked_in,
    at_provider,
    come_back,
    go,
    provider_running,
    settings_of,
    sign_on,
)


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    with provider_running() as issuer:
        yield issuer


@pytest.fixture
def door(installation: str, issuer: str, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setenv("BIANMIN_SIGN_ON", settings_of(issuer))
    settings.cache_clear()
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    return Door(web, installation)


def configure(monkeypatch: pytest.MonkeyPatch, issuer: str, **facts: object) -> None:
    monkeypatch.setenv("BIANMIN_SIGN_ON", settings_of(issuer, **facts))
    settings.cache_clear()


def link(door: Door, person_id: str, issuer: str, subject: str) -> Response:
    return door.admin(f"/people/{person_id}/sign-on", {"issuer": issuer, "subject": subject})


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:bianmin:problem:")


def links() -> list[tuple[str, bool]]:
    with database("hr", WORKER).session() as session:
        rows = session.execute(text("SELECT subject, linked_by IS NULL FROM sign_on_links"))
        return [(subject, by_name) for subject, by_name in rows]


def test_whoever_an_administrator_linked_signs_in_and_goes_on_where_he_wanted(door: Door, issuer: str) -> None:
    person_id = door.hire("clerk", "front_desk")
    assert link(door, person_id, issuer, "subject-of-li").status_code == 201
    browser = door.browser()
    answer = sign_on(browser, "subject-of-li", to="/hr/api/sites?limit=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/hr/api/sites?limit=1")
    assert browser.cookie
    assert browser.get("/sites").status_code == 200
    current = browser.get("/sessions/current").json()
    assert current["person_id"] == person_id
    browser.csrf = current["csrf_token"]
    assert browser.post("/sessions/renew").status_code == 200


def test_the_session_is_like_one_of_a_password_and_the_way_there_leaves_nothing_in_the_browser(
    door: Door, issuer: str
) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    gone = go(browser)
    (kept,) = gone.headers.get_list("set-cookie")
    assert kept.startswith(f'{COOKIE}-sign-on="sealed:')
    for said in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"):
        assert said in kept
    answer = come_back(browser, at_provider(gone.headers["location"], "subject-of-li"))
    session, forgotten = answer.headers.get_list("set-cookie")
    assert session.startswith(f"{COOKIE}=")
    for said in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert said in session
    assert forgotten.startswith(f'{COOKIE}-sign-on=""')
    assert list(browser.http.cookies) == [COOKIE]


def test_the_language_he_chose_is_that_of_the_browser_he_signs_in_with(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk", login="li.si"), issuer, "subject-of-li")
    assert "bianmin_language" not in sign_on(door.browser(), "subject-of-li").cookies
    with database("hr", WORKER).session() as session:
        session.execute(text("UPDATE logins SET language = 'en'"))
        session.commit()
    assert sign_on(door.browser(), "subject-of-li").cookies["bianmin_language"] == "en"


def test_whoever_is_refused_is_told_on_a_page_why_and_by_what_an_administrator_can_link_him(
    door: Door, issuer: str
) -> None:
    browser = door.browser()
    browser.http.headers["Accept"] = "text/html"
    answer = sign_on(browser, "subject-of-nobody")
    assert answer.status_code == 401
    assert "请管理员在您的名册页关联" in answer.text
    assert "subject-of-nobody" in answer.text


def test_the_provider_is_asked_with_pkce_a_state_and_a_nonce_and_for_the_second_factor(
    door: Door, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, issuer, second_factor_acr=["mfa"])
    asked = asked_in(go(door.browser()).headers["location"])
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) == len(asked["nonce"]) == 43
    assert asked["response_type"] == "code"
    assert asked["acr_values"] == "mfa"
    assert asked["redirect_uri"] == RETURN
    again = asked_in(go(door.browser()).headers["location"])
    assert not {asked[name] for name in ("state", "nonce", "code_challenge")} & set(again.values())


def test_nobody_is_made_and_whoever_is_not_linked_is_told_what_to_have_linked(door: Door, issuer: str) -> None:
    door.hire("clerk", "front_desk", login="li.si")
    answer = sign_on(door.browser(), "subject-of-li.si")
    assert problem(answer) == (401, "not_linked")
    assert "subject-of-li.si" in answer.json()["detail"]
    assert issuer in answer.json()["detail"]
    assert "set-cookie" not in answer.headers
    assert links() == []


def test_the_first_sign_in_links_by_the_login_name_where_the_setting_says_so_and_never_again(
    door: Door, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, issuer, login_claim="preferred_username")
    door.hire("clerk", "front_desk", login="li.si")
    assert sign_on(door.browser(), "subject-of-li.si").status_code == 303
    assert links() == [("subject-of-li.si", True)]
    # the provider gives the name to another: he is not the one who is linked
    assert problem(sign_on(door.browser(), "li.si")) == (401, "not_linked")
    configure(monkeypatch, issuer)
    assert sign_on(door.browser(), "subject-of-li.si").status_code == 303


def test_a_person_who_left_is_answered_like_one_who_is_not_linked(door: Door, issuer: str) -> None:
    person_id = door.hire("clerk", "front_desk")
    link(door, person_id, issuer, "subject-of-li")
    door.admin(f"/people/{person_id}/leave")
    assert problem(sign_on(door.browser(), "subject-of-li")) == (401, "not_linked")


def test_a_program_is_never_linked(door: Door, issuer: str) -> None:
    account = door.admin("/service-accounts", {"name": "金蝶", "site_ids": [door.site_id]}).json()["id"]
    assert problem(link(door, account, issuer, "subject-of-jindie")) == (409, "service_account")


def test_whoever_moves_money_signs_in_when_the_provider_says_that_it_asked_for_a_second_factor(
    door: Door, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(door, door.hire("cashier", "finance"), issuer, "subject-of-chen")
    refused = sign_on(door.browser(), "subject-of-chen", code="123456")
    assert problem(refused) == (403, "second_factor_not_proved")  # no setting says what to accept
    for facts in ({"second_factor_acr": ["mfa"]}, {"second_factor_amr": ["hwk", "otp"]}):
        configure(monkeypatch, issuer, **facts)
        assert problem(sign_on(door.browser(), "subject-of-chen")) == (403, "second_factor_not_proved")
        assert sign_on(door.browser(), "subject-of-chen", code="123456").status_code == 303


def test_a_second_factor_somebody_has_here_is_not_passed_by(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    door.enrol("clerk")
    assert problem(sign_on(door.browser(), "subject-of-li")) == (403, "second_factor_not_proved")


def test_a_return_is_good_once_even_with_the_cookie_it_came_with(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    gone = go(browser)
    kept = dict(browser.http.cookies)
    url = at_provider(gone.headers["location"], "subject-of-li")
    assert come_back(browser, url).status_code == 303
    assert problem(come_back(browser, url)) == (401, "not_begun_here")
    browser.http.cookies.update(kept)
    assert problem(come_back(browser, url)) == (401, "used_already")


def test_a_code_is_worth_nothing_in_a_request_of_ones_own(door: Door, issuer: str) -> None:
    """Whoever saw another's code begins himself and comes back with it: his verifier is not the code's."""
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    seen = asked_in(at_provider(go(door.browser()).headers["location"], "subject-of-li"))
    thief = door.browser()
    state = asked_in(go(thief).headers["location"])["state"]
    answer = come_back(thief, f"{RETURN}?code={seen['code']}&state={state}&iss={issuer}")
    assert problem(answer) == (401, "code_refused")


def test_the_provider_gives_no_token_without_the_verifier(door: Door, issuer: str) -> None:
    """So that the test before shows what it says: with the right secret, and no verifier, it refuses."""
    import httpx2  # noqa: PLC0415

    code = asked_in(at_provider(go(door.browser()).headers["location"], "subject-of-li"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN}
    answer = httpx2.post(f"{issuer}/token", data=form, auth=(CLIENT, SECRET), trust_env=False)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_return_with_another_state_or_in_another_browser_is_refused(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser, other = door.browser(), door.browser()
    url = at_provider(go(browser).headers["location"], "subject-of-li")
    state = asked_in(url)["state"]
    assert problem(come_back(browser, url.replace(state, state[:-1] + "-"))) == (401, "wrong_state")
    assert problem(come_back(browser, url.replace(f"state={state}", ""))) == (401, "wrong_state")
    assert problem(come_back(other, url)) == (401, "not_begun_here")
    go(other)
    assert problem(come_back(other, url)) == (401, "wrong_state")
    assert come_back(browser, url).status_code == 303


def test_a_cookie_that_was_changed_or_is_another_ones_is_refused(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    url = at_provider(go(browser).headers["location"], "subject-of-li")
    name = f"{COOKIE}-sign-on"
    sealed = browser.http.cookies[name]
    changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for forged in (changed, "sealed:1:", "", "x", door.browser().cookie):
        browser.http.cookies.clear()
        browser.http.cookies.set(name, forged, domain="bianmin.example")
        assert problem(come_back(browser, url)) == (401, "not_begun_here"), forged
    browser.http.cookies.clear()
    browser.http.cookies.set(name, sealed, domain="bianmin.example")
    assert come_back(browser, url).status_code == 303


def test_whoever_takes_more_than_ten_minutes_begins_again(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    url = at_provider(go(browser).headers["location"], "subject-of-li")
    door.move_clock(door.now() + timedelta(minutes=10, seconds=1))
    assert problem(come_back(browser, url)) == (401, "too_late")


@pytest.mark.parametrize(
    "to",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *("evil.example", "", "/a b", "/\r\nX: y", "/\t/evil.example", "/\x00", "/x\\..", "/" + "x" * 550),
    ],
)
def test_after_signing_in_one_goes_on_to_no_other_host(door: Door, to: str) -> None:
    answer = go(door.browser(), to)
    assert answer.status_code == 422
    assert "location" not in answer.headers


def test_whoever_goes_back_at_the_provider_is_told_so(door: Door) -> None:
    answer = sign_on(door.browser(), "")
    assert problem(answer) == (401, "refused_by_provider")
    assert "set-cookie" not in answer.headers


def test_an_answer_of_another_provider_is_refused(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    url = at_provider(go(browser).headers["location"], "subject-of-li")
    assert "&iss=" in url
    answer = come_back(browser, url.partition("&iss=")[0] + "&iss=https://evil.example")
    assert problem(answer) == (401, "wrong_issuer")
    browser = door.browser()  # the provider says that it always names itself
    url = at_provider(go(browser).headers["location"], "subject-of-li")
    assert problem(come_back(browser, url.partition("&iss=")[0])) == (401, "wrong_issuer")


def test_a_wrong_secret_of_ours_is_a_refusal_and_no_defect(
    door: Door, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, issuer, client_secret="another")
    assert problem(sign_on(door.browser(), "subject-of-li")) == (401, "code_refused")


def test_a_provider_that_is_away_or_in_a_network_it_may_not_be_in_is_a_problem_with_a_sentence(
    door: Door, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, "http://127.0.0.1:1")
    assert problem(go(door.browser())) == (503, "provider_away")
    configure(monkeypatch, issuer, allow_private=False)
    assert problem(go(door.browser())) == (503, "provider_away")


def test_nothing_is_on_when_nothing_is_set(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIANMIN_SIGN_ON")
    settings.cache_clear()
    assert go(door.browser()).status_code == 404
    assert door.browser().http.get("/sign-on/company/return").status_code == 404


def test_an_address_has_a_hundred_tries_and_a_subject_ten(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    answers = [sign_on(door.browser(address=f"198.51.100.{n}"), "subject-of-li") for n in range(11)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]
    asked = [go(door.browser(address="203.0.113.99")).status_code for _ in range(101)]
    assert asked == [303] * 100 + [429]


def test_the_audit_log_says_how_somebody_signed_in_and_who_linked_him(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    assert sign_on(door.browser(), "subject-of-li").status_code == 303
    with database("hr", WORKER).session() as session:
        noted = session.execute(text("SELECT table_name, cause, actor_id::text FROM audit_log ORDER BY id")).all()
    assert ("login_sessions", "GET /sign-on/{provider}/return", None) in noted
    assert ("sign_on_links", "POST /people/{person_id}/sign-on", door.administrator) in noted


def test_no_secret_code_or_verifier_is_kept_or_logged(
    door: Door, issuer: str, caplog: pytest.LogCaptureFixture
) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    gone = go(browser)
    url = at_provider(gone.headers["location"], "subject-of-li")
    state, code = asked_in(url)["state"], asked_in(url)["code"]
    assert come_back(browser, url).status_code == 303
    assert problem(come_back(browser, url)) == (401, "not_begun_here")
    with database("hr", WORKER).session() as session:
        rows = "SELECT to_jsonb(u)::text FROM used_sign_ons u UNION SELECT to_jsonb(a)::text FROM audit_log a"
        held = " ".join(session.execute(text(rows)).scalars())
    assert "used_sign_ons" in held
    ours = " ".join(str(one.msg) for one in caplog.records if not one.name.startswith("httpx"))  # not the test's own
    assert "sign_on_refused" in ours
    for hidden in (state, code, SECRET):
        assert hidden not in held
        assert hidden not in ours
        assert hidden not in browser.http.cookies.get(f"{COOKIE}-sign-on", "")


def test_what_was_used_is_forgotten_when_it_could_not_be_good_any_more(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    assert sign_on(door.browser(), "subject-of-li").status_code == 303
    door.move_clock(door.now() + timedelta(minutes=11))
    assert sign_on(door.browser(), "subject-of-li").status_code == 303
    with database("hr", WORKER).session() as session:
        assert session.execute(text("SELECT count(*) FROM used_sign_ons")).scalar_one() == 1


def test_a_link_ends_the_sessions_of_its_person_who_is_told(door: Door, issuer: str) -> None:
    person_id = door.hire("clerk", "front_desk")
    browser = door.browser()
    browser.sign_in("clerk")
    link(door, person_id, issuer, "subject-of-li")
    assert browser.get("/sites").status_code == 401
    browser.sign_in("clerk")
    (alert,) = browser.get("/alerts").json()["items"]
    assert (alert["kind"], alert["facts"]["linked_by"]) == ("sign_on_linked", door.administrator)


def test_a_subject_is_one_persons_and_a_person_is_one_subject_of_a_provider(door: Door, issuer: str) -> None:
    first, second = door.hire("clerk", "front_desk"), door.hire("worker", "engineering")
    link(door, first, issuer, "subject-of-li")
    assert problem(link(door, second, issuer, "subject-of-li")) == (409, "subject_taken")
    assert link(door, first, issuer, "subject-of-li").status_code == 201
    assert link(door, first, issuer, "subject-of-wang").status_code == 201
    shown = door.api.get(f"/api/people/{first}/sign-on", headers={"Authorization": f"Bearer {door.token}"}).json()
    assert [one["subject"] for one in shown] == ["subject-of-wang"]
    assert problem(sign_on(door.browser(), "subject-of-li")) == (401, "not_linked")


def test_whoever_is_not_linked_any_more_signs_in_no_more_and_his_sessions_end(door: Door, issuer: str) -> None:
    person_id = door.hire("clerk", "front_desk")
    link(door, person_id, issuer, "subject-of-li")
    browser = door.browser()
    sign_on(browser, "subject-of-li")
    assert door.admin(f"/people/{person_id}/sign-on/end", {"issuer": issuer}).status_code == 204
    assert browser.get("/sites").status_code == 401
    assert problem(sign_on(browser, "subject-of-li")) == (401, "not_linked")
    assert door.admin(f"/people/{person_id}/sign-on/end", {"issuer": issuer}).status_code == 404


def test_without_a_wish_one_goes_on_to_the_first_page(door: Door, issuer: str) -> None:
    link(door, door.hire("clerk", "front_desk"), issuer, "subject-of-li")
    browser = door.browser()
    gone = browser.http.get("/sign-on/company", follow_redirects=False)
    assert come_back(browser, at_provider(gone.headers["location"], "subject-of-li")).headers["location"] == HOME


def test_of_two_subjects_that_come_at_once_under_one_login_name_one_is_linked(door: Door, issuer: str) -> None:
    person_id = door.hire("clerk", "front_desk", login="li.si")
    first, second = (Identity(issuer, subject, "li.si", second_factor=False) for subject in ("first", "second"))
    now = door.now()
    with database("hr", WORKER).session() as session, database("hr", WORKER).session() as other:
        # both were looked for before either was linked
        found, found_too = (session.get_one(Person, UUID(person_id)), other.get_one(Person, UUID(person_id)))
        sign_on_actions.keep(session, found, first, now=now)
        session.commit()
        with pytest.raises(SignOnRefused):
            sign_on_actions.keep(other, found_too, second, now=now)
    assert links() == [("first", True)]
