"""hr as other software meets it: HTTP on a real, committing installation."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from shared.db import WORKER, database

SECRET = "fb5eface91ebdcf221fa69f8267de288dd916c801780d020"
HAPPENED = "2026-03-31T18:00:00+08:00"


class Office:
    """The company by its administrator, and whoever else he employs."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        founded = self.found().json()
        self.tokens["administrator"] = founded["token"]
        self.ids["administrator"] = founded["person_id"]
        self.site_id = self.post("/sites", {"code": "BK", "name": "碧空苑"}).json()["id"]

    def found(self, secret: str = SECRET) -> Any:
        return self.client.post("/api/company", json={"secret": secret, "name": "便民物业", "administrator": "王敏"})

    def post(self, path: str, body: Any = None, *, by: str = "administrator", key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[by]}", "Idempotency-Key": key or str(uuid4())}
        return self.client.post(f"/api{path}", json=body, headers=headers)

    def get(self, path: str, *, by: str = "administrator") -> Any:
        return self.client.get(f"/api{path}", headers={"Authorization": f"Bearer {self.tokens[by]}"})

    def employ(self, role: str, department: str, **facts: Any) -> str:
        made = self.post(
            "/people",
            {"name": role, "role": role, "department": department, "site_ids": [self.site_id], **facts},
        )
        assert made.status_code == 201, made.text
        self.ids[role] = made.json()["id"]
        self.tokens[role] = self.post(f"/people/{self.ids[role]}/token").json()["token"]
        return self.ids[role]

    def open_case(self, **facts: Any) -> Any:
        body = {
            "offence": "private_job",
            "site_id": self.site_id,
            "person_id": self.ids["worker"],
            "happened_at": HAPPENED,
            "evidence": "业主来电反映",
            "in_working_hours": True,
            **facts,
        }
        return self.post("/cases", body, by="clerk")

    def hear(self, case_id: str) -> Any:
        return self.post(f"/cases/{case_id}/hear", {"statement": "愿意改正", "attended": True}, by="hr").json()

    def decide(self, case_id: str) -> Any:
        self.hear(case_id)
        return self.post(f"/cases/{case_id}/decide", {"confirm": True, "reason": "属实"}, by="leader").json()

    def finish(self, case_id: str) -> Any:
        self.decide(case_id)
        return self.post(f"/cases/{case_id}/accept", by="worker").json()


@pytest.fixture
def office(installation: str) -> Iterator[Office]:
    from services.hr.main import web  # noqa: PLC0415  # wiring reads the settings the fixture made

    with TestClient(web) as client:
        yield Office(client)


@pytest.fixture
def staffed(office: Office) -> Office:
    for role, department in (
        ("clerk", "front_desk"),
        ("worker", "engineering"),
        ("head", "engineering"),
        ("leader", "management"),
        ("hr", "hr"),
        ("auditor", "administration"),
    ):
        office.employ(role, department)
    return office


def test_a_company_is_founded_once_by_whoever_knows_the_secret(office: Office) -> None:
    wrong, again = office.found("guess"), office.found()
    assert (wrong.status_code, wrong.json()["type"]) == (403, "urn:bianmin:problem:wrong_founder_secret")
    assert (again.status_code, again.json()["type"]) == (409, "urn:bianmin:problem:company_exists")
    assert office.get("/people").json()["items"] == [
        {
            "id": office.ids["administrator"],
            "name": "王敏",
            "role": "administrator",
            "department": "administration",
            "site_ids": [],
            "all_sites": True,
            "active": True,
            "shift_start": None,
            "shift_end": None,
            "skills": None,
            "certificates": [],
        }
    ]


def test_a_site_closes_at_six_in_shanghai_unless_said_otherwise(office: Office) -> None:
    (site,) = office.get("/sites").json()
    assert site == {
        "id": office.site_id,
        "code": "BK",
        "name": "碧空苑",
        "zone": "Asia/Shanghai",
        "closing": "18:00:00",
        "opens": None,
        "closes_service": None,
        "holidays": site["holidays"],
    }
    assert {"2026-05-01", "2026-10-01", "2027-01-01"} <= set(site["holidays"])
    other = office.post("/sites", {"code": "WL", "name": "乌鲁", "zone": "Asia/Urumqi", "closing": "19:30"})
    assert (other.status_code, other.json()["closing"]) == (201, "19:30:00")


def test_a_site_is_refused_a_taken_or_bad_code_a_false_zone_and_a_zoned_closing(office: Office) -> None:
    assert office.post("/sites", {"code": "BK", "name": "x"}).status_code == 409
    for facts in ({"code": "bk"}, {"code": "ABCDEFGHIJK"}, {"zone": "Asia/Atlantis"}, {"closing": "18:00Z"}, {"x": 1}):
        refused = office.post("/sites", {"code": "XX", "name": "x", **facts})
        assert refused.status_code == 422, facts
        assert refused.headers["content-type"] == "application/problem+json"


def test_a_repeated_post_gets_the_first_answer_and_opens_one_site(office: Office) -> None:
    first = office.post("/sites", {"code": "XH", "name": "西河"}, key="once")
    again = office.post("/sites", {"code": "XH", "name": "西河"}, key="once")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(office.get("/sites").json()) == 2
    assert office.post("/sites", {"code": "XJ", "name": "西江"}, key="once").status_code == 422


def test_a_post_that_creates_needs_an_idempotency_key(office: Office) -> None:
    headers = {"Authorization": f"Bearer {office.tokens['administrator']}"}
    refused = office.client.post("/api/sites", json={"code": "XH", "name": "西河"}, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:bianmin:problem:idempotency_key_needed")


def test_employing_someone_once_gives_no_token_and_stores_none(office: Office) -> None:
    body = {
        "name": "李雷",
        "role": "worker",
        "department": "engineering",
        "site_ids": [office.site_id],
        "shift_start": "08:00",
        "shift_end": "17:30",
    }
    first, again = (office.post("/people", body, key="once").json() for _ in range(2))
    assert first == again
    assert first == body | {
        "id": first["id"],
        "all_sites": False,
        "active": True,
        "shift_start": "08:00:00",
        "shift_end": "17:30:00",
        "skills": None,
        "certificates": [],
    }
    token = office.post(f"/people/{first['id']}/token").json()["token"]
    with database("hr", WORKER).session() as session:
        stored = session.execute(
            text("SELECT string_agg(k::text, '') || string_agg(p::text, '') FROM idempotency_keys k, people p")
        ).scalar_one()
    assert token not in stored


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"department": "finance"}, 422),
        ({"role": "king"}, 422),
        ({"site_ids": []}, 422),
        ({"shift_start": "08:00"}, 422),
        ({"shift_start": "08:00+08:00", "shift_end": "17:30"}, 422),
        ({"site_ids": ["00000000-0000-7000-8000-000000000000"]}, 404),
    ],
)
def test_a_senseless_post_is_refused(office: Office, facts: dict[str, Any], status: int) -> None:
    body = {"name": "x", "role": "worker", "department": "engineering", "site_ids": [office.site_id], **facts}
    assert office.post("/people", body).status_code == status


def test_nobody_acts_without_a_valid_token(staffed: Office) -> None:
    assert staffed.client.get("/api/cases").status_code == 401
    staffed.tokens["stranger"] = "guess"
    assert staffed.get("/cases", by="stranger").status_code == 401
    assert staffed.post(f"/people/{staffed.ids['leader']}/leave").json()["active"] is False
    assert staffed.get("/cases", by="leader").status_code == 401
    assert staffed.post(f"/people/{staffed.ids['leader']}/leave").status_code == 409


def test_a_new_token_ends_the_one_before(staffed: Office) -> None:
    fresh = staffed.post(f"/people/{staffed.ids['hr']}/token").json()["token"]
    assert staffed.get("/cases", by="hr").status_code == 401
    staffed.tokens["hr"] = fresh
    assert staffed.get("/cases", by="hr").status_code == 200


def test_each_act_belongs_to_its_roles(staffed: Office) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    for by, path in (
        ("hr", "/sites"),
        ("leader", "/people"),
        ("clerk", f"/people/{nobody}/token"),
        ("leader", f"/people/{nobody}/leave"),
        ("worker", "/cases"),
        ("leader", "/cases"),
        ("hr", f"/cases/{nobody}/decide"),
        ("leader", f"/tasks/{nobody}/finish"),
    ):
        bodies = {
            "sites": {"code": "XX", "name": "x"},
            "people": {"name": "x", "role": "worker", "department": "engineering"},
            "cases": {
                "offence": "neglect",
                "site_id": nobody,
                "person_id": nobody,
                "happened_at": HAPPENED,
                "evidence": "x",
            },
            "decide": {"confirm": True, "reason": "x"},
            "finish": {"evidence": "x"},
        }
        assert staffed.post(path, bodies.get(path.split("/")[-1]), by=by).status_code == 403, path
    for path in ("/cases", "/tasks", "/overrides", "/missed-callbacks", "/reports", "/payouts"):
        assert staffed.get(path, by="worker").status_code == 403, path
        for by in ("hr", "leader", "auditor"):
            assert staffed.get(path, by=by).json() == {"items": [], "next": None}, path


def test_a_private_job_is_opened_heard_confirmed_accepted_and_told_to_finance_once(staffed: Office) -> None:
    opened = staffed.open_case()
    assert opened.status_code == 201
    made = opened.json()
    assert made == {
        "id": made["id"],
        "number": "AJ-BK-2026-0001",
        "offence": "private_job",
        "site_id": staffed.site_id,
        "person_id": staffed.ids["worker"],
        "person_name": "worker",
        "state": "open",
        "opened_by": staffed.ids["clerk"],
        "opened_at": "2026-03-31T16:00:00Z",
        "happened_at": "2026-03-31T10:00:00Z",
        "in_working_hours": True,
        "evidence": "业主来电反映",
        "added": [],
        **dict.fromkeys(("amount_fen", "cash_returned_at", "rung", "fine_fen", "points", "step", "month")),
        **dict.fromkeys(("statement", "attended", "heard_by", "heard_at", "accepted_at", "final_at")),
        **dict.fromkeys(("decided_by", "decided_at", "reason", "source_id", "override_id")),
        **dict.fromkeys(("appeal_due_at", "appealed_at", "appeal")),
        **dict.fromkeys(("appeal_decided_by", "appeal_decided_at", "appeal_reason")),
    }
    path = f"/cases/{made['id']}/decide"
    unheard = staffed.post(path, {"confirm": True, "reason": "属实"}, by="leader")
    assert (unheard.status_code, unheard.json()["allowed"]) == (409, ["add_evidence", "hear"])
    heard = staffed.hear(made["id"])
    first, again = (
        staffed.post(path, {"confirm": True, "reason": "属实"}, by="leader", key="once").json() for _ in range(2)
    )
    assert first == again
    assert first == heard | {
        "state": "decided",
        "decided_by": staffed.ids["leader"],
        "decided_at": "2026-03-31T16:00:00Z",
        "reason": "属实",
        "appeal_due_at": "2026-04-07T16:00:00Z",
    }
    assert staffed.get("/cases/mine", by="worker").json()["items"] == [first]
    twice = staffed.post(path, {"confirm": False, "reason": "x"}, by="leader")
    assert (twice.status_code, twice.json()["allowed"]) == (409, ["add_evidence", "accept", "lapse", "appeal"])
    last = staffed.post(f"/cases/{made['id']}/accept", by="worker").json()
    assert last == first | {
        "state": "final",
        "rung": 1,
        "step": "fine",
        "fine_fen": 20000,
        "month": "2026-04",
        "accepted_at": "2026-03-31T16:00:00Z",
        "final_at": "2026-03-31T16:00:00Z",
    }
    assert staffed.get("/cases?state=final", by="auditor").json()["items"] == [last]
    with database("hr", WORKER).session() as session:
        told = session.execute(text("SELECT count(*) FROM outbox WHERE type = 'FineConfirmed'")).scalar_one()
    assert told == 1


def test_a_warning_becomes_a_task_that_hr_finishes(staffed: Office) -> None:
    made = staffed.open_case(in_working_hours=None).json()  # he has no shift
    assert made["in_working_hours"] is False
    staffed.finish(made["id"])
    (task,) = staffed.get("/tasks", by="hr").json()["items"]
    assert (task["kind"], task["case_id"], task["done_at"]) == ("warning", made["id"], None)
    done = staffed.post(f"/tasks/{task['id']}/finish", {"evidence": "书面警告已签收"}, by="hr")
    assert (done.status_code, done.json()["evidence"]) == (200, "书面警告已签收")
    assert staffed.post(f"/tasks/{task['id']}/finish", {"evidence": "x"}, by="hr").status_code == 409


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"offence": "theft"}, 422),
        ({"offence": "withheld_cash"}, 422),
        ({"amount_fen": 100}, 422),
        ({"happened_at": "2026-04-01T09:00:00"}, 422),
        ({"evidence": " "}, 422),
        ({"offence": "neglect"}, 409),
        ({"person_id": "00000000-0000-7000-8000-000000000000"}, 404),
        ({"site_id": "00000000-0000-7000-8000-000000000000"}, 404),
    ],
)
def test_a_senseless_charge_is_refused_and_uses_no_number(staffed: Office, facts: dict[str, Any], status: int) -> None:
    assert staffed.open_case(**facts).status_code == status
    assert staffed.open_case().json()["number"] == "AJ-BK-2026-0001"


def test_withheld_cash_charged_by_hand_is_fined_its_amount(staffed: Office) -> None:
    made = staffed.open_case(offence="withheld_cash", amount_fen=4321).json()
    decided = staffed.finish(made["id"])
    assert (decided["amount_fen"], decided["fine_fen"], decided["rung"], decided["step"]) == (4321, 4321, None, "fine")


def test_a_case_that_does_not_exist_is_not_decided(staffed: Office) -> None:
    missing = staffed.post(f"/cases/{uuid4()}/decide", {"confirm": True, "reason": "x"}, by="leader")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:bianmin:problem:not_found")


def test_the_deadlines_of_hr_are_seen_by_operators(staffed: Office) -> None:
    bus = staffed.client.get("/ops/bus", headers={"Authorization": f"Bearer {staffed.tokens['auditor']}"}).json()
    kinds = [deadline["kind"] for deadline in bus["deadlines"]]
    assert kinds == ["hr_task", "case_appeal", "webhook_delivery"]


def test_two_cases_accepted_at_once_never_stand_on_the_same_rung(staffed: Office) -> None:
    ids = [staffed.open_case().json()["id"] for _ in range(4)]
    for id_ in ids:
        staffed.decide(id_)
    with ThreadPoolExecutor(4) as pool:
        accepted = pool.map(lambda id_: staffed.post(f"/cases/{id_}/accept", by="worker").json(), ids)
    assert sorted(case["rung"] for case in accepted) == [1, 2, 3, 3]


def test_a_wage_is_set_by_hr_and_seen_by_hr_and_the_leader_alone(staffed: Office) -> None:
    path = f"/people/{staffed.ids['worker']}"
    assert staffed.post(f"{path}/wage", {"monthly_wage_fen": 500000}).status_code == 403
    made = staffed.post(f"{path}/wage", {"monthly_wage_fen": 500000}, by="hr").json()
    assert (made["version"], made["monthly_wage_fen"]) == (1, 500000)
    for by in ("hr", "leader"):
        assert staffed.get(f"{path}/wages", by=by).json() == [made]
    for by in ("administrator", "auditor", "worker", "clerk"):
        assert staffed.get(f"{path}/wages", by=by).status_code == 403
    assert not re.search(r"wage|\b500000\b", staffed.get("/people", by="auditor").text)


def test_anybody_reads_his_own_cases_and_statements_and_no_others(staffed: Office) -> None:
    mine = staffed.open_case().json()
    assert [one["id"] for one in staffed.get("/cases/mine", by="worker").json()["items"]] == [mine["id"]]
    for by in ("clerk", "head", "auditor"):
        assert staffed.get("/cases/mine", by=by).json()["items"] == []
        assert staffed.get("/payouts/mine?month=2026-04", by=by).json() == []
    assert staffed.get("/payouts/mine?month=2026-13", by="worker").status_code == 422


def test_the_organisation_and_a_persons_posts_are_read_by_those_who_read_people(staffed: Office) -> None:
    (branch,) = staffed.get("/organisation", by="head").json()
    assert {one["department"] for one in branch["departments"]} >= {"engineering", "front_desk", "hr"}
    (post,) = staffed.get(f"/people/{staffed.ids['worker']}/posts", by="hr").json()
    assert (post["role"], post["reason"], post["until"]) == ("worker", "employed", None)
    assert staffed.get("/organisation", by="worker").status_code == 403
    assert staffed.get(f"/people/{staffed.ids['worker']}/posts", by="head").status_code == 403
