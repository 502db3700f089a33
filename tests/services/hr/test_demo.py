"""A look around a simulation as anybody, without a password; in a real installation there is no such thing."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, get_args
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from services.hr.rules.demo import DemoPerson, NotHere, check_simulated, typical
from services.hr.rules.post import DEPARTMENTS
from shared.db import SERVICES, WORKER, database
from shared.ids import new_id
from shared.messages import PersonChanged, Role
from shared.people import person_changed
from tests.bad_input.house import web_of
from tests.services.hr.front_door import COOKIE, HOST, PAGE, PASSWORD, Browser, Door, forget_tries


@pytest.fixture
def door(installation: str) -> Door:
    forget_tries()
    return Door(web_of("hr"), installation)


@pytest.fixture
def for_real(committing: Engine) -> Iterator[Callable[[], None]]:
    """The installation turns into a real one: what simulates it is one row of the database."""
    with committing.begin() as owner:
        held = owner.execute(text("SELECT simulated_at FROM installation.clock")).scalar_one()

    def turn() -> None:
        with committing.begin() as owner:
            owner.execute(text("UPDATE installation.clock SET simulated = false, simulated_at = NULL"))

    yield turn
    with committing.begin() as owner:
        owner.execute(text("UPDATE installation.clock SET simulated = true, simulated_at = :at"), {"at": held})


def employ(door: Door, role: str, department: str) -> str:
    """A person without a login."""
    body = {"name": f"{role} 张三", "role": role, "department": department, "site_ids": [door.site_id]}
    person_id: str = door.admin("/people", body).json()["id"]
    return person_id


def be(browser: Browser, person_id: str, **headers: str) -> Any:
    return browser.http.post("/api/demo/sessions", json={"person_id": person_id}, headers=PAGE | headers)


def test_of_each_role_two_at_most_are_offered_of_different_departments_first() -> None:
    def person(name: str, role: str, department: str) -> DemoPerson:
        return DemoPerson(new_id(), name, role, "", department, None)

    people = [
        *(person(name, "worker", "engineering") for name in "甲乙丙"),
        person("丁", "worker", "environment"),
        *(person(name, "clerk", "front_desk") for name in "戊己庚"),
        person("辛", "auditor", "administration"),
    ]
    assert [one.name for one in typical(people)] == ["戊", "己", "甲", "丁", "辛"]
    assert typical([]) == []


def test_only_a_simulation_has_people_to_be() -> None:
    check_simulated(simulated=True)
    with pytest.raises(NotHere):
        check_simulated(simulated=False)


def test_anybody_is_told_of_every_role_who_stands_for_it(door: Door) -> None:
    for role, departments in DEPARTMENTS.items():
        for department in sorted(departments) * 2:
            employ(door, role, department)
    door.admin("/service-accounts", {"name": "金蝶", "all_sites": True})
    gone = employ(door, "clerk", "front_desk")
    door.admin(f"/people/{gone}/leave")
    told = door.browser().get("/demo/people").json()
    assert {one["role"] for one in told} == set(get_args(Role))
    heads = [one for one in told if one["role"] == "head"]
    assert {one["department"] for one in heads} == {"engineering", "environment"}
    assert heads[0].keys() == {"person_id", "name", "role", "post", "department", "site"}
    assert (heads[0]["post"], heads[0]["site"]) == ("工程、环境主管", "碧空苑")
    assert all(sum(one["role"] == role for one in told) <= 2 for role in DEPARTMENTS)
    assert "金蝶" not in {one["name"] for one in told}


@pytest.mark.parametrize("role", get_args(Role))
def test_every_role_is_let_in_without_password_or_second_factor_and_every_service_knows_him(
    door: Door, role: str
) -> None:
    person_id = employ(door, role, min(DEPARTMENTS[role]))  # type: ignore[index]
    with database("hr", WORKER).session() as session:
        messages = session.execute(
            text("SELECT receiver, body FROM outbox WHERE type = 'PersonChanged' AND body ->> 'person_id' = :id"),
            {"id": person_id},
        ).all()
    for receiver, body in messages:  # as its worker would
        with database(receiver, WORKER).session() as session:
            person_changed(session, PersonChanged.model_validate(body))
    browser = door.browser()
    answer = be(browser, person_id)
    assert (answer.status_code, answer.json()["person_id"]) == (201, person_id), answer.text
    browser.csrf = answer.json()["csrf_token"]
    with ExitStack() as opened:
        for service in SERVICES:
            client = opened.enter_context(TestClient(web_of(service), base_url=HOST))
            known = client.get("/api/may", headers={"Cookie": f"{COOKIE}={browser.cookie}"})
            assert known.status_code == 200, service
    assert browser.post("/sessions/renew").status_code == 200  # a session like any other
    browser.csrf = browser.get("/sessions/current").json()["csrf_token"]
    assert browser.post("/sessions/current/end").status_code == 204
    assert browser.get("/sites").status_code == 401


BODIES: list[tuple[str, bytes]] = [
    ("application/json", b"{}"),
    ("application/json", b"{not json"),
    ("application/json", b'{"person_id": "nobody"}'),
    ("application/json", b'{"person_id": "PERSON", "simulated": true}'),
    ("text/plain", b"PERSON"),
    ("application/json", b""),
]


def test_in_a_real_installation_both_paths_answer_as_those_that_are_not_there(
    door: Door, for_real: Callable[[], None]
) -> None:
    person_id = door.hire("clerk", "front_desk")
    browser = door.browser()
    assert browser.sign_in("clerk").status_code == 201  # whoever is somebody already is told no more
    known = Browser(door.web)
    assert be(known, person_id).status_code == 201
    for_real()
    nowhere = browser.http.get("/api/demo/nothing")
    assert nowhere.status_code == 404
    told = browser.http.get("/api/demo/people")
    assert (told.status_code, told.json()) == (404, nowhere.json())
    bodies = [*BODIES, ("application/json", json.dumps({"person_id": "PERSON"}).encode())]
    for kind, body in bodies:
        for asking in (browser, door.browser()):
            sent = body.replace(b"PERSON", person_id.encode())
            answer = asking.http.post("/api/demo/sessions", content=sent, headers=PAGE | {"Content-Type": kind})
            assert (answer.status_code, answer.json()) == (404, nowhere.json()), (kind, body)
            assert "set-cookie" not in answer.headers
    with database("hr", WORKER).session() as session:
        begun = session.execute(text("SELECT count(*) FROM login_sessions")).scalar_one()
    assert begun == 2


def test_nobody_is_a_program_a_person_who_left_or_one_who_never_was(door: Door) -> None:
    program = door.admin("/service-accounts", {"name": "金蝶", "all_sites": True}).json()["id"]
    gone = employ(door, "clerk", "front_desk")
    door.admin(f"/people/{gone}/leave")
    for person_id in (program, gone, str(new_id())):
        assert be(door.browser(), person_id).status_code == 404
    somebody = employ(door, "clerk", "front_desk")
    for body in ({}, {"person_id": "nobody"}, {"person_id": somebody, "role": "leader"}):
        assert door.browser().http.post("/api/demo/sessions", json=body, headers=PAGE).status_code == 422


def test_whoever_signs_in_as_somebody_is_limited_as_anybody_who_signs_in(door: Door) -> None:
    one, other = employ(door, "clerk", "front_desk"), employ(door, "worker", "engineering")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: be(door.browser(), one).status_code, range(14)))
    assert sorted(set(answers)) == [201, 429]
    assert answers.count(201) == 10
    assert be(door.browser(), other).status_code == 201
    door.hire("head", "engineering")  # whose own password is tried apart
    assert door.browser().sign_in("head", PASSWORD).status_code == 201


def test_the_audit_log_says_that_it_was_for_the_demo(door: Door) -> None:
    person_id = employ(door, "cashier", "finance")
    assert be(door.browser(), person_id).status_code == 201
    with database("hr", WORKER).session() as session:
        noted = session.execute(
            text("SELECT cause, address, after FROM audit_log WHERE table_name = 'login_sessions' ORDER BY id")
        ).all()
    assert [(cause, address) for cause, address, _ in noted] == [("POST /demo/sessions", "203.0.113.7")]
    assert UUID(noted[0].after["person_id"]) == UUID(person_id)
