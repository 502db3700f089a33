"""The front desk's JSON API, over HTTP where everything really commits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from services.intake.actions import importing, request
from services.intake.rules.request import Channel
from shared.db import WORKER, database
from shared.ids import new_id
from tests.people import employ
from tests.services.intake.desk import NOW, Desk, open_desk

FORM = {
    "channel": "phone",
    "owner_name": "欧阳建国",
    "address": "3-2-1502",
    "phone": "13800138000",
    "description": "水龙头漏水",
    "trade": "water",
}
AGREED = {
    "visit_from": "2026-04-01T14:00:00+08:00",
    "visit_to": "2026-04-01T15:00:00+08:00",
    "items": [{"price_code": "tap", "quantity": 1, "unit_fen": 5000}],
}


class House:
    """A running front desk with one site; a person's token is his role."""

    def __init__(self, client: TestClient, desk: Desk) -> None:
        self.client = client
        self.desk = desk
        self.site_id = str(desk.site_id)

    def get(self, who: str, path: str) -> Response:
        return self.client.get(f"/api{path}", headers={"Authorization": f"Bearer {who}"})

    def post(self, who: str, path: str, body: Any = None, *, key: str | None = "") -> Response:
        headers = {"Authorization": f"Bearer {who}"}
        if key is not None:
            headers["Idempotency-Key"] = key or str(new_id())
        return self.client.post(f"/api{path}", json=body, headers=headers)

    def register(self, *, key: str = "", **changes: Any) -> Response:
        return self.post("clerk", "/requests", FORM | {"site_id": self.site_id} | changes, key=key)

    def noticed(self) -> str:
        """The id of a request whose notice is out."""
        made = str(self.register().json()["id"])
        assert self.post("clerk", f"/requests/{made}/agree", AGREED).status_code == 200
        assert self.post("clerk", f"/requests/{made}/notice").status_code == 201
        return made


@pytest.fixture
def house(installation: str) -> Iterator[House]:
    from services.intake.main import web  # noqa: PLC0415  # reads the settings the fixture made

    with database("intake", WORKER).session() as session:
        desk = open_desk(session, tokens=True)
        for role, department in (
            ("head", "engineering"),
            ("worker", "engineering"),
            ("finance_lead", "finance"),
            ("auditor", "administration"),
            ("operator", "administration"),
        ):
            employ(session, role, department, desk.site_id, token=role)  # type: ignore[arg-type]
        open_desk(session, "ZJ")
    with TestClient(web) as client:
        yield House(client, desk)


def problem(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:bianmin:problem:")


def test_a_request_goes_from_the_call_to_its_notice(house: House) -> None:
    made = house.register()
    assert (made.status_code, made.json()["state"]) == (201, "recorded")
    path = f"/requests/{made.json()['id']}"
    assert [row["id"] for row in house.get("head", "/callbacks").json()] == [made.json()["id"]]
    assert house.post("clerk", f"{path}/attempts", {"note": "无人接听"}).json()["failed_attempts"] == 1
    asked = house.post(
        "clerk",
        f"{path}/consultations",
        {"question": "能换吗?", "reply_due_at": "2026-04-01T09:00:00+08:00", "owner_was_told": True},
    )
    assert asked.status_code == 201
    assert problem(house.post("clerk", f"/consultations/{asked.json()['id']}/reply")) == (409, "no_answer_yet")
    assert house.post("clerk", f"{path}/agree", AGREED).json()["price_version"] == 1
    issued = house.post("clerk", f"{path}/notice")
    assert (issued.status_code, issued.json()["notice"]["number"]) == (201, "TZ-BK-20260401-0001")
    assert house.get("auditor", path).json()["phone"] == "138****8000"
    assert [row["code"] for row in house.get("clerk", "/prices").json()] == ["tap"]
    assert house.post("clerk", f"{path}/cancel", {"reason": "不要了"}).json()["state"] == "cancelled"


def test_a_registration_sent_by_many_at_once_with_one_key_is_taken_once(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: house.register(key="call-1"), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert problem(house.register(key="call-1", owner_name="他人")) == (422, "idempotency_key_reused")
    assert house.register().json()["number"] == "DJ-BK-20260401-0002"


def test_an_attempt_and_a_revisit_sent_twice_with_one_key_count_once(house: House) -> None:
    waiting = house.register().json()["id"]
    for _ in range(2):
        told = house.post("clerk", f"/requests/{waiting}/attempts", {"note": "无人接听"}, key="attempt-1")
        assert told.json()["failed_attempts"] == 1
    made = house.noticed()
    with database("intake", WORKER).session() as session:
        house.desk.session = session
        house.desk.hear("WorkAccepted", _Known(made))  # type: ignore[arg-type]
    for _ in range(2):
        body = {"outcome": "not_reached", "note": "无人接听"}
        told = house.post("clerk", f"/requests/{made}/revisit", body, key="revisit-1")
        assert told.json()["revisits"][0]["failed_attempts"] == 1
    found = {"outcome": "problem", "note": "漏"}
    assert problem(house.post("clerk", f"/requests/{made}/revisit", found)) == (422, "survey_needed")
    found["survey"] = {"quality": 2, "attitude": 4, "price_as_agreed": True}  # type: ignore[assignment]
    assert problem(house.post("clerk", f"/requests/{made}/revisit", found)) == (422, "visit_needed")
    rework = {"visit_from": AGREED["visit_from"], "visit_to": AGREED["visit_to"]}
    answer = house.post("clerk", f"/requests/{made}/revisit", found | rework)
    assert answer.json()["state"] == "rework"


class _Known:
    """A request known by its id alone."""

    def __init__(self, id_: str) -> None:
        self.id = id_


def test_rows_of_a_list_are_told_one_by_one_and_bad_ones_leave_nothing_behind(house: House) -> None:
    row = FORM | {"channel": "online"}
    rows = {
        "2": row | {"source_key": "a"},
        "3": row | {"source_key": "b", "trade": "appliance"},
        "4": row | {"source_key": "c", "trade": "magic"},
        "5": row | {"source_key": "d", "phone": "x"},
        "6": row | {"source_key": "e", "site_id": str(new_id())},
        "7": row,
    }
    answer = house.post("clerk", "/imports", {"source": "nyc311", "site_id": house.site_id, "rows": rows}, key=None)
    assert [(told["row"], told["outcome"]) for told in answer.json()] == [
        (2, "registered"),
        (3, "refused"),
        (4, "malformed"),
        (5, "malformed"),
        (6, "malformed"),
        (7, "malformed"),
    ]
    assert len(house.get("clerk", "/requests").json()["items"]) == 2
    again = house.post("clerk", "/imports", {"source": "nyc311", "site_id": house.site_id, "rows": rows}, key=None)
    assert [told["outcome"] for told in again.json()][:2] == ["known", "known"]


def test_nobody_acts_without_a_valid_token_and_a_post_that_creates_needs_a_key(house: House) -> None:
    assert problem(house.get("nobody", "/requests")) == (401, "no_valid_token")
    made = house.register().json()["id"]
    for path, body in (
        ("/requests", FORM | {"site_id": house.site_id}),
        (f"/requests/{made}/attempts", {"note": "x"}),
        (f"/requests/{made}/notice", None),
        (f"/requests/{made}/revisit", {"outcome": "satisfied", "note": "x"}),
    ):
        assert problem(house.post("clerk", path, body, key=None)) == (422, "idempotency_key_needed")


@pytest.mark.parametrize("who", ["worker", "head", "finance_lead", "auditor", "operator"])
def test_only_the_desk_takes_and_arranges_jobs(house: House, who: str) -> None:
    made = house.register().json()["id"]
    for path, body in (
        ("/requests", FORM | {"site_id": house.site_id}),
        ("/imports", {"source": "x", "site_id": house.site_id, "rows": {}}),
        (f"/requests/{made}/agree", AGREED),
        (f"/requests/{made}/notice", None),
        (f"/requests/{made}/cancel", {"reason": "x"}),
        (f"/requests/{made}/attempts", {"note": "x"}),
        (f"/requests/{made}/revisit", {"outcome": "satisfied", "note": "x"}),
    ):
        assert problem(house.post(who, path, body)) == (403, "role_not_allowed")


def test_what_is_not_at_a_site_of_the_person_is_not_found(house: House) -> None:
    assert problem(house.register(site_id=str(new_id()))) == (404, "not_found")
    with database("intake", WORKER).session() as session:
        other = session.execute(text("SELECT id FROM sites WHERE code = 'ZJ'")).scalar_one()
    assert problem(house.register(site_id=str(other))) == (404, "not_found")
    assert problem(house.get("clerk", f"/requests/{new_id()}")) == (404, "not_found")
    assert problem(house.post("desk_head", f"/months/2026-04/sites/{other}/sign")) == (404, "not_found")


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": "x"},
        {"owner_name": " "},
        {"description": "\x00"},
        {"channel": "fax"},
        {"trade": "magic"},
        {"windows": [{"start": "2026-04-01T14:00:00", "end": "2026-04-01T15:00:00+08:00"}]},
        {"fee_fen": 1},
    ],
)
def test_a_form_that_cannot_be_meant_is_malformed_and_uses_no_number(house: House, changes: dict[str, Any]) -> None:
    assert house.register(**changes).status_code == 422
    assert house.register().json()["number"] == "DJ-BK-20260401-0001"


@pytest.mark.parametrize("month", ["2026-13", "2026-4", "0000-01"])
def test_a_month_is_a_month(house: House, month: str) -> None:
    assert house.get("desk_head", f"/months/{month}").status_code == 422
    assert house.get("desk_head", "/months/2026-04").json() == []


def test_operators_see_the_desks_deadlines_and_how_many_are_open(house: House) -> None:
    house.register()
    bus = house.client.get("/ops/bus", headers={"Authorization": "Bearer operator"}).json()
    assert {line["kind"]: line["open"] for line in bus["deadlines"]} == {
        "callback_warning": 1,
        "callback": 1,
        "consultation_reply": 0,
        "revisit": 0,
        "month_statistics": 0,
        "erase_owner": 0,
    }
    assert {line["overdue"] for line in bus["deadlines"]} == {0}


def test_a_list_that_is_being_taken_in_is_waited_for_and_then_known(house: House) -> None:
    body = {"source": "nyc311", "site_id": house.site_id, "rows": {"2": FORM | {"source_key": "a"}}}
    form = request.RegistrationForm(Channel.PHONE, "王丽", "9-9", "13900139000", "漏", "water", (), "nyc311", "a")
    with ThreadPoolExecutor(1) as pool:
        with database("intake", WORKER).session() as session:
            facts = {"site_id": house.desk.site_id, "source": "nyc311", "actor": house.desk.clerk, "now": NOW}
            importing.import_rows(session, forms={1: form}, **facts)
            session.flush()
            meanwhile = pool.submit(house.post, "clerk", "/imports", body, key=None)
            while not session.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first():
                assert not meanwhile.done(), meanwhile.result().text
        assert [row["outcome"] for row in meanwhile.result().json()] == ["known"]


def test_a_notice_is_revised_and_printed_once_more_over_http(house: House) -> None:
    made = house.noticed()
    path = f"/requests/{made}"
    two = {"items": [{"price_code": "tap", "quantity": 2, "unit_fen": 4000}], "reason": "多一个水龙头"}
    revised = house.post("clerk", f"{path}/revise", two).json()
    assert (revised["fee_fen"], revised["notice"]["revision"], revised["items"][0]["amount_fen"]) == (8000, 1, 8000)
    assert problem(house.post("clerk", f"{path}/revise", two)) == (409, "nothing_changed")
    printed = house.post("clerk", f"{path}/notice/reprint", {"copy": "archive", "reason": "打湿了"}).json()
    assert printed["notice"]["copies"]["archive"]["reprints"] == 1
    assert printed["notice"]["copies"]["archive"]["received_by"].startswith("clerk")
    assert house.post("clerk", f"{path}/notice/reprint", {"copy": "fourth", "reason": "x"}).status_code == 422


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"price_code": "tap", "quantity": 0, "unit_fen": 5000}],
        [{"price_code": "tap", "quantity": 1001, "unit_fen": 5000}],
        [{"price_code": "tap", "quantity": 1.0, "unit_fen": 5000}],
        [{"price_code": "tap", "quantity": 1, "unit_fen": 5000}] * 2,
        [{"price_code": f"tap{n}", "quantity": 1, "unit_fen": 5000} for n in range(21)],
    ],
)
def test_a_settlement_list_that_cannot_be_meant_is_malformed(house: House, items: list[Any]) -> None:
    made = house.register().json()["id"]
    assert house.post("clerk", f"/requests/{made}/agree", AGREED | {"items": items}).status_code == 422


def test_a_registration_points_out_what_it_may_repeat_and_a_home_is_looked_up(house: House) -> None:
    first = house.register().json()
    assert first["possible_duplicates"] == []
    second = house.register(phone="138-0013-8000", address="9-9").json()
    assert [row["number"] for row in second["possible_duplicates"]] == [first["number"]]
    (home, other) = house.post("clerk", "/homes/find", {"phone": "13800138000"}).json()
    assert {home["address"], other["address"]} == {"3-2-1502", "9-9"}
    assert problem(house.post("clerk", "/homes/find", {"phone": " "})) == (422, "phone_or_room")
    assert problem(house.post("worker", "/homes/find", {"phone": "13800138000"})) == (403, "role_not_allowed")


def test_the_catalogue_prices_and_answers_are_read_over_http(house: House) -> None:
    trades = house.get("head", f"/trades?site_id={house.site_id}").json()
    assert [row["code"] for row in trades if row["refusal"]] == ["appliance", "renovation", "other"]
    body = {"site_id": house.site_id, "question": "几点下班?", "answer": "六点"}
    assert problem(house.post("clerk", "/answers", body)) == (403, "role_not_allowed")
    made = house.post("desk_head", "/answers", body).json()
    told = house.get("clerk", "/price-lookup?q=下班").json()
    assert ([row["answer"] for row in told["answers"]], told["prices"]) == (["六点"], [])
    assert house.post("desk_head", f"/answers/{made['id']}/retire").json()["retired_at"] is not None
    assert house.get("clerk", "/answers").json()["items"] == []


def test_a_catalogue_of_trades_is_changed_as_a_policy_and_a_wrong_one_is_malformed(house: House) -> None:
    with database("intake", WORKER).session() as session:
        employ(session, "administrator", "administration", token="administrator")
    water = {"code": "water", "name": "水", "department": "engineering"}
    body = {"effective_from": "2026-04-02T00:00:00+08:00", "reason": "董事会"}
    for trades in ([], [water, water], [{"code": "gas", "name": "气"}], [water | {"department": "finance"}]):
        wrong = house.post("administrator", "/policies/TradePolicy", body | {"settings": {"trades": trades}})
        assert problem(wrong) == (422, "bad_settings")
    right = house.post("administrator", "/policies/TradePolicy", body | {"settings": {"trades": [water]}})
    assert right.status_code == 201
