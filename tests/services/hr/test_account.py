"""What is done to somebody's account: told at once to him and to another; a lost second factor is taken away by two."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.db import WORKER, database
from tests.services.hr.front_door import PASSWORD, Door, forget_tries

WHY = {"reason": "手机丢了, the phone is lost"}


@pytest.fixture
def door(installation: str) -> Door:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    forget_tries()
    return Door(web, installation)


class Post:
    """Somebody employed by the founder, who asks by his token."""

    def __init__(self, door: Door, role: str, department: str = "administration", **where: Any) -> None:
        self.door, self.headers = door, {}
        body = {"name": role, "role": role, "department": department} | (where or {"site_ids": [door.site_id]})
        self.id: str = door.admin("/people", body).json()["id"]
        self.headers["Authorization"] = f"Bearer {door.admin(f'/people/{self.id}/token').json()['token']}"

    def post(self, path: str, body: Any = None) -> Response:
        return self.door.api.post(f"/api{path}", json=body, headers=self.headers | {"Idempotency-Key": path})

    def told(self) -> list[tuple[str, str, str]]:
        """The kind of each alert he has not seen, about whom, by whom."""
        page = self.door.api.get("/api/alerts", params={"own": True}, headers=self.headers).json()
        return [(one["kind"], one["facts"]["person_id"], one["facts"]["by"]) for one in page["items"]]

    def sees_all(self) -> None:
        for one in self.door.api.get("/api/alerts", params={"own": True}, headers=self.headers).json()["items"]:
            assert self.post(f"/alerts/{one['id']}/seen").status_code == 200


def the_founder_is_told(door: Door) -> list[Any]:
    answer = door.api.get("/api/alerts", params={"own": True}, headers={"Authorization": f"Bearer {door.token}"})
    return [one["kind"] for one in answer.json()["items"]]


def test_the_person_and_another_administrator_are_told_of_each_act_on_an_account_and_see_it_each_for_himself(
    door: Door,
) -> None:
    clerk, other, leader = (
        Post(door, "clerk", "front_desk"),
        Post(door, "administrator"),
        Post(door, "leader", "management"),
    )
    elsewhere = Post(
        door, "administrator", site_ids=[door.admin("/sites", {"code": "ZJ", "name": "紫金"}).json()["id"]]
    )
    door.accept(door.invite(clerk.id, "clerk"))
    assert (clerk.told(), other.told()) == ([], [])  # the first invitation takes over nothing
    door.invite(clerk.id, "clerk")
    door.admin(f"/people/{clerk.id}/sessions/end")
    moved = {"role": "desk_head", "department": "front_desk", "site_ids": [door.site_id], "reason": "提拔"}
    assert door.admin(f"/people/{clerk.id}/move", moved).status_code == 200
    expected = [(kind, clerk.id, "王敏") for kind in ("invited_anew", "sessions_ended", "post_changed")]
    assert clerk.told() == other.told() == expected
    assert (leader.told(), elsewhere.told(), the_founder_is_told(door)) == ([], [], [])
    door.admin(f"/people/{clerk.id}/sessions/end")  # again, and told again
    other.sees_all()
    assert other.told() == []
    assert clerk.told() == [*expected, expected[1]]


def test_the_leader_is_told_where_there_is_no_other_administrator(door: Door) -> None:
    clerk, leader = Post(door, "clerk", "front_desk"), Post(door, "leader", "management")
    door.admin(f"/people/{clerk.id}/sessions/end")
    assert leader.told() == [("sessions_ended", clerk.id, "王敏")]


def test_what_is_done_to_somebody_of_all_sites_is_told_to_those_of_all_sites(door: Door) -> None:
    auditor, other = Post(door, "auditor", all_sites=True), Post(door, "administrator", all_sites=True)
    here = Post(door, "administrator")
    door.admin(f"/people/{auditor.id}/sessions/end")
    assert auditor.told() == other.told() == [("sessions_ended", auditor.id, "王敏")]
    assert here.told() == []


def lost(door: Door) -> tuple[str, Post, list[str]]:
    """A cashier who has lost his second factor, another administrator, and the codes that were lost with it."""
    cashier = door.hire("cashier", "finance")
    _, codes = door.enrol("cashier")
    return cashier, Post(door, "administrator"), codes


def test_a_lost_second_factor_is_taken_away_by_two_and_another_is_enrolled_with_the_password(door: Door) -> None:
    cashier, other, _ = lost(door)
    assert door.browser().sign_in("cashier").json()["type"].endswith("totp_needed")
    proposed = door.admin(f"/people/{cashier}/factor-reset", WHY)
    assert (proposed.status_code, proposed.json()["reason"]) == (201, WHY["reason"])
    assert door.browser().sign_in("cashier").json()["type"].endswith("totp_needed")  # one alone takes nothing away
    assert door.admin(f"/people/{cashier}/factor-reset/confirm").json()["type"].endswith("not_four_eyes")
    assert other.post(f"/people/{cashier}/factor-reset/confirm").json()["confirmed_by"] == other.id
    assert door.browser().sign_in("cashier").json()["type"].endswith("totp_needed_first")
    secret, codes = door.enrol("cashier")
    assert len(codes) == 10
    door.move_clock(door.now() + timedelta(seconds=30))
    assert door.browser().sign_in("cashier", PASSWORD, door.code(secret)).status_code == 201
    assert other.told() == [("factor_reset_proposed", cashier, "王敏")]
    assert the_founder_is_told(door) == ["factor_reset"]


def test_the_reset_ends_every_session_and_every_recovery_code(door: Door) -> None:
    cashier, other, codes = lost(door)
    browser = door.browser()
    assert browser.sign_in("cashier", totp=codes[0]).status_code == 201
    door.admin(f"/people/{cashier}/factor-reset", WHY)
    other.post(f"/people/{cashier}/factor-reset/confirm")
    assert browser.get("/sessions").status_code == 401
    assert door.browser().sign_in("cashier", totp=codes[1]).json()["type"].endswith("totp_needed_first")
    with database("hr", WORKER).session() as session:
        assert session.execute(text("SELECT count(*) FROM recovery_codes")).scalar_one() == 0
        told = text("SELECT kind FROM alerts WHERE person_id = :person ORDER BY id")
        assert list(session.scalars(told, {"person": cashier})) == ["factor_reset_proposed", "factor_reset"]


def test_nobody_confirms_after_three_days_and_it_may_be_proposed_anew_by_another(door: Door) -> None:
    cashier, other, _ = lost(door)
    door.admin(f"/people/{cashier}/factor-reset", WHY)
    assert door.admin(f"/people/{cashier}/factor-reset", WHY).json()["type"].endswith("reset_proposed_already")
    door.move_clock(door.now() + timedelta(days=3, seconds=1))
    assert other.post(f"/people/{cashier}/factor-reset/confirm").json()["type"].endswith("reset_expired")
    assert other.post(f"/people/{cashier}/factor-reset", WHY).status_code == 201
    assert door.admin(f"/people/{cashier}/factor-reset/confirm").status_code == 200


def test_nothing_is_proposed_where_there_is_no_second_factor(door: Door) -> None:
    clerk = door.hire("clerk", "front_desk")
    assert door.admin(f"/people/{clerk}/factor-reset", WHY).json()["type"].endswith("no_factor")


@pytest.mark.parametrize("column", ["proposed_by", "person_id"])
def test_the_database_refuses_that_one_takes_a_factor_away_alone(door: Door, column: str) -> None:
    cashier, _, _ = lost(door)
    door.admin(f"/people/{cashier}/factor-reset", WHY)
    forged = text(f"UPDATE factor_resets SET confirmed_by = {column}, confirmed_at = now()")
    with pytest.raises(IntegrityError, match="four_eyes"), database("hr", WORKER).session() as session:
        session.execute(forged)
