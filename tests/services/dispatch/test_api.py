"""The departments' JSON API, over HTTP on an installation of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from services.dispatch.actions import consultation, work_order
from shared import clock
from shared.db import WORKER, database
from shared.ids import new_id
from shared.messages import ConsultationAsked
from tests.conftest import START
from tests.people import employ
from tests.services.dispatch.crew import Crew, hire, notice

SIGNED = {"signer_name": "欧阳建国", "relation": "owner", "signature": "欧阳建国", "shown_hash": "0" * 64}


class Office:
    """The department's people with their tokens, and one order just received."""

    def __init__(self, client: TestClient, crew: Crew, order: str, question: UUID) -> None:
        self.client = client
        self.crew = crew
        self.order = order
        self.question = question

    def get(self, who: str, path: str) -> Response:
        return self.client.get(f"/api{path}", headers={"Authorization": f"Bearer {who}"})

    def post(self, who: str, path: str, body: Any = None, *, key: str = "") -> Response:
        headers = {"Authorization": f"Bearer {who}"} | ({"Idempotency-Key": key} if key else {})
        return self.client.post(f"/api{path}", json=body, headers=headers)

    def step(self, who: str, step: str, body: Any = None, *, key: str = "") -> Response:
        return self.post(
            who, f"/work-orders/{self.order}/{step}", body, key=key or (str(uuid4()) if step == "assign" else "")
        )

    def assign(self) -> Response:
        assert self.step("head", "acknowledge").status_code == 200
        return self.step("head", "assign", {"workers": [{"person_id": str(self.crew.worker.person_id)}]}, key="assign")

    def finish(self) -> Response:
        assert self.step("worker", "check-materials", {"complete": True}, key=str(new_id())).status_code == 200
        return self.step("worker", "finish")

    def signed(self) -> dict[str, Any]:
        """The signature under what the owner is shown."""
        shown = self.get("worker", f"/work-orders/{self.order}/settlement-list").json()
        return SIGNED | {"shown_hash": shown["hash"]}

    def start(self) -> Response:
        assert self.assign().status_code == 200
        assert self.post("worker", "/duties/done").status_code == 200
        return self.step("worker", "arrive")


@pytest.fixture
def office(installation: str) -> Iterator[Office]:
    from services.dispatch.main import web  # noqa: PLC0415  # reads the settings the fixture made

    question = new_id()
    with database("dispatch", WORKER).session() as session:
        crew = hire(session, tokens=True)
        employ(session, "clerk", "front_desk", crew.site_id, token="clerk")
        employ(session, "auditor", "management", token="auditor")
        message = notice(crew.site_id, visit_from=START, visit_to=START + timedelta(hours=1))
        work_order.notice_issued(session, message, now=clock.now(session))
        consultation.asked(
            session,
            ConsultationAsked(
                consultation_id=question,
                request_id=message.request_id,
                site_id=crew.site_id,
                department="engineering",
                question="能换吗?",
                reply_due_at=message.visit_from,
            ),
            now=message.issued_at,
        )
        order = session.execute(text("SELECT id FROM work_orders")).scalar_one()
    with TestClient(web) as client:
        yield Office(client, crew, str(order), question)


def test_a_job_goes_from_the_notice_to_the_signature(office: Office) -> None:
    listed = office.get("head", "/work-orders?state=received").json()
    assert [order["id"] for order in listed["items"]] == [office.order]
    assert office.assign().json()["workers"] == [
        {"person_id": str(office.crew.worker.person_id), "name": "张师傅", "weight": 1}
    ]
    assert office.step("worker", "check-in").json()["state"] == "checked_in"
    done = office.post("worker", "/duties/done").json()
    assert done | {"done_at": ""} == {
        "person_id": str(office.crew.worker.person_id),
        "day": "2026-04-01",
        "done_at": "",
    }
    assert office.step("worker", "arrive").json()["state"] == "started"
    stopped = office.step("worker", "stop", {"reason": "需要电工", "for_safety": True}).json()
    assert (stopped["state"], stopped["stopped_reason"]) == ("stopped", "需要电工")
    assert office.step("head", "resume").json()["state"] == "started"
    assert office.finish().json()["state"] == "finished"
    assert office.step("worker", "accept", SIGNED, key="sign-0").json()["rule"] == "D23"
    accepted = office.step("worker", "accept", office.signed(), key="sign-1")
    assert accepted.status_code == 200
    assert accepted.json()["phone"] == "138****8000"
    assert len(accepted.json()["signed_hash"]) == 64
    assert office.get("clerk", f"/work-orders/{office.order}").json()["state"] == "accepted"


def test_a_signature_sent_twice_with_one_key_is_taken_once_and_answered_twice(office: Office) -> None:
    assert office.start().status_code == 200
    assert office.finish().status_code == 200
    signed = office.signed()
    first = office.step("worker", "accept", signed, key="sign-1")
    again = office.step("worker", "accept", signed, key="sign-1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = office.step("worker", "accept", signed | {"signer_name": "他人"}, key="sign-1")
    assert (other.status_code, other.json()["title"]) == (422, "idempotency key reused")
    assert office.step("worker", "accept", SIGNED, key="sign-2").status_code == 409
    with database("dispatch", WORKER).session() as session:
        told = session.execute(text("SELECT count(*) FROM outbox WHERE type = 'WorkAccepted'")).scalar_one()
    assert told == 2


def test_a_signature_without_a_key_is_refused(office: Office) -> None:
    assert office.step("worker", "accept", SIGNED).status_code == 422


def test_a_worker_with_duties_undone_is_held_until_the_head_overrides(office: Office) -> None:
    office.assign()
    with database("dispatch", WORKER).session() as session:
        session.execute(text("UPDATE people SET shift_start = '00:00', shift_end = '23:00'"))
    held = office.step("worker", "arrive")
    assert (held.status_code, held.json()["rule"]) == (409, "R50")
    leave = {"worker_id": str(office.crew.worker.person_id), "reason": "爆管"}
    overridden = office.step("head", "override", leave, key="override-1")
    assert overridden.json()["overrides"] == 1
    assert office.step("worker", "arrive").json()["state"] == "started"


def test_a_job_is_terminated_by_its_worker_with_cause_and_reason(office: Office) -> None:
    office.start()
    ended = office.step("worker", "terminate", {"cause": "safety", "reason": "电线裸露"}).json()
    assert (ended["state"], ended["cause"], ended["reason"]) == ("terminated", "safety", "电线裸露")


def test_the_head_answers_a_question_and_sees_his_people(office: Office) -> None:
    assert len(office.get("head", "/consultations?open=true").json()["items"]) == 1
    answered = office.post("head", f"/consultations/{office.question}/answer", {"answer": "能"})
    assert (answered.status_code, answered.json()["answer"]) == (200, "能")
    assert office.post("head", f"/consultations/{office.question}/answer", {"answer": "能"}).status_code == 409
    assert office.get("head", "/consultations?open=true").json()["items"] == []
    assert [row["open_orders"] for row in office.get("clerk", "/workers").json()] == [0, 0]
    assert [row["done"] for row in office.get("head", "/duties?day=2026-04-01").json()] == [False, False]


def test_without_a_valid_token_nobody_is_served(office: Office) -> None:
    assert office.get("nobody", "/work-orders").status_code == 401
    assert office.step("nobody", "acknowledge").status_code == 401


@pytest.mark.parametrize(
    ("who", "step", "body"),
    [
        ("worker", "acknowledge", None),
        ("worker", "assign", {"workers": [{"person_id": str(UUID(int=1))}]}),
        ("worker", "override", {"worker_id": str(UUID(int=1)), "reason": "x"}),
        ("worker", "resume", None),
        ("head", "check-in", None),
        ("head", "arrive", None),
        ("head", "finish", None),
        ("head", "accept", SIGNED),
        ("head", "stop", {"reason": "x", "for_safety": False}),
        ("clerk", "terminate", {"cause": "owner", "reason": "x"}),
        ("auditor", "acknowledge", None),
    ],
)
def test_a_role_that_may_not_take_a_step_is_told_who_may(office: Office, who: str, step: str, body: Any) -> None:
    refused = office.step(who, step, body, key="key")
    assert refused.status_code == 403
    assert refused.json()["allowed"]


@pytest.mark.parametrize(
    ("who", "path"), [("worker", "/duties"), ("worker", "/workers"), ("clerk", "/consultations"), ("clerk", "/duties")]
)
def test_a_role_that_may_not_read_something_is_refused(office: Office, who: str, path: str) -> None:
    assert office.get(who, path).status_code == 403
    assert office.get("auditor", path).status_code == 200


def test_an_order_of_nobody_or_of_others_is_not_found(office: Office) -> None:
    assert office.get("head", f"/work-orders/{new_id()}").status_code == 404
    assert office.get("mate", f"/work-orders/{office.order}").status_code == 404
    office.assign()
    assert office.step("mate", "arrive").status_code == 404


def test_a_worker_lists_his_own_orders_and_no_others(office: Office) -> None:
    def listed(who: str, query: str = "") -> list[str]:
        return [order["id"] for order in office.get(who, f"/work-orders{query}").json()["items"]]

    assert (listed("head"), listed("worker"), listed("mate")) == ([office.order], [], [])
    office.assign()
    assert (listed("worker"), listed("worker", "?state=assigned"), listed("mate")) == ([office.order],) * 2 + ([],)
    assert listed("worker", "?state=received") == []
    anew = {"workers": [{"person_id": str(office.crew.mate.person_id)}]}
    assert office.step("head", "assign", anew).status_code == 200
    assert (listed("worker"), listed("mate")) == ([], [office.order])


def test_a_step_out_of_turn_is_refused_with_what_is_allowed(office: Office) -> None:
    refused = office.step("head", "assign", {"workers": [{"person_id": str(office.crew.worker.person_id)}]})
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["acknowledge", "cancel", "decline", "revise"])


@pytest.mark.parametrize(
    ("who", "step", "body"),
    [
        ("head", "assign", {"workers": []}),
        ("head", "assign", {"workers": [{"person_id": str(UUID(int=1)), "weight": 101}]}),
        ("head", "assign", {"workers": [{"person_id": str(UUID(int=1)), "weight": 0}]}),
        ("head", "assign", {"workers": [{"person_id": str(UUID(int=i))} for i in range(21)]}),
        ("head", "override", {"worker_id": str(UUID(int=1)), "reason": " "}),
        ("worker", "accept", SIGNED | {"relation": "neighbour"}),
        ("worker", "accept", SIGNED | {"signature": ""}),
        ("worker", "accept", SIGNED | {"signature": "x" * 20001}),
        ("worker", "terminate", {"cause": "tired", "reason": "x"}),
        ("worker", "stop", {"reason": "x"}),
    ],
)
def test_a_body_that_cannot_be_meant_is_malformed(office: Office, who: str, step: str, body: Any) -> None:
    assert office.step(who, step, body, key="key").status_code == 422


def test_operators_see_the_departments_four_deadlines(office: Office) -> None:
    bus = office.client.get("/ops/bus", headers={"Authorization": "Bearer auditor"}).json()
    assert [deadline["kind"] for deadline in bus["deadlines"]] == [
        "acknowledgement",
        "rework_assignment",
        "arrival",
        "certificate",
    ]


def test_the_head_weighs_candidates_prescribes_duties_and_reads_the_hours_over_http(office: Office) -> None:
    (first, second) = office.get("head", f"/work-orders/{office.order}/candidates").json()
    assert (first["may"], first["why_not"], first["open_jobs"], second["paid_minutes"]) == (True, "", 0, 0)
    made = office.post("head", "/duties", {"site_id": str(office.crew.site_id), "name": "巡查泵房"}, key="1")
    assert (made.status_code, made.json()["since"], made.json()["department"]) == (201, "2026-04-01", "engineering")
    assert [row["name"] for row in office.get("head", "/duties/prescribed").json()["items"]] == ["巡查泵房"]
    assert not office.get("worker", "/duties/mine").json()["done"]
    ticked = office.post("worker", f"/duties/{made.json()['id']}/tick", key="2").json()
    assert (ticked["day"], ticked["done"], len(ticked["duties"])) == ("2026-04-01", True, 1)
    assert sorted(row["done"] for row in office.get("head", "/duties").json()) == [False, True]
    assert [row["minutes"] for row in office.get("head", "/hours?month=2026-04").json()] == [0, 0]
    assert office.get("head", "/hours?month=april").status_code == 422


@pytest.mark.parametrize(
    ("who", "path"), [("worker", "/duties/prescribed"), ("head", "/duties/mine"), ("clerk", "/hours?month=2026-04")]
)
def test_duties_and_hours_are_shown_to_whom_they_concern(office: Office, who: str, path: str) -> None:
    assert office.get(who, path).status_code == 403


def test_candidates_are_the_heads_to_see(office: Office) -> None:
    office.assign()
    assert office.get("worker", f"/work-orders/{office.order}/candidates").status_code == 403
    assert office.get("auditor", f"/work-orders/{office.order}/candidates").status_code == 200
