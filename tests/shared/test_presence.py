"""What operators see of workers and ticks, and that what they do is known afterwards."""

from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from shared.bus import presence
from shared.bus.ticker import sweep
from shared.db import SERVICES, WORKER, Database, database
from shared.ids import new_id
from tests.conftest import START
from tests.people import employ

OPERATOR = {"Authorization": "Bearer operator"}


@pytest.fixture
def finance(installation: str) -> Database:
    at = database("finance", WORKER)
    with at.session() as session:
        employ(session, "operator", "management", token="operator")
        employ(session, "auditor", "administration", token="auditor")
        employ(session, "clerk", "front_desk", token="clerk")
    return at


@pytest.fixture
def client(finance: Database) -> TestClient:
    return TestClient(import_module("services.finance.main").web)


def asked(client: TestClient) -> Any:
    return client.get("/ops/bus", headers=OPERATOR).json()


def test_a_worker_is_running_then_stuck_then_gone_and_one_that_was_told_to_end_is_not_shown(
    finance: Database, client: TestClient
) -> None:
    assert asked(client)["workers"] == []
    presence.say(finance, deliveries=7, idle_seconds=0)
    (worker,) = asked(client)["workers"]
    assert (worker["name"], worker["state"], worker["deliveries"]) == (presence.own_name(), "running", 7)
    presence.say(finance, deliveries=7, idle_seconds=presence.STUCK_SECONDS + 1)
    assert [one["state"] for one in asked(client)["workers"]] == ["stuck"]
    with finance.session() as session:
        session.execute(text("UPDATE workers SET seen_at = seen_at - interval '31 s'"))
    assert [one["state"] for one in asked(client)["workers"]] == ["gone"]
    page = client.get("/queues", headers=OPERATOR | {"Accept": "text/html"}).text
    assert presence.own_name() in page
    assert "已不在" in page
    presence.leave(finance)
    assert asked(client)["workers"] == []


def tell(session: Session, *, now: datetime) -> int:
    """Of an empty ledger there is no head to tell: only note that it was."""
    told = text("UPDATE ledger_anchors SET told_at = :now WHERE told_at IS NULL RETURNING 1")
    return len(session.execute(told, {"now": now}).all())


def test_a_tick_says_when_it_last_acted(finance: Database, client: TestClient) -> None:
    (anchor,) = [t for t in import_module("services.finance.tasks").tasks.ticks if t.deadline.kind == "ledger_anchor"]
    ticks = [replace(anchor, sweep=tell)]
    assert {line["ran_at"] for line in asked(client)["deadlines"]} == {None}
    with finance.session() as session:
        session.execute(text("INSERT INTO ledger_anchors (due_at) VALUES (:due)"), {"due": START - timedelta(hours=1)})
    sweep(finance, ticks)
    ran = {line["kind"]: line["ran_at"] for line in asked(client)["deadlines"] if line["ran_at"]}
    assert list(ran) == ["ledger_anchor"]
    sweep(finance, ticks)  # which finds nothing
    assert {line["kind"]: line["ran_at"] for line in asked(client)["deadlines"] if line["ran_at"]} == ran


def parked(at: Database) -> UUID:
    """A message that needs an operator."""
    id_ = new_id()
    with at.session() as session:
        session.execute(
            text("""INSERT INTO inbox (message_id, sender, type, state, traceparent, reason, ack_due, body)
                    VALUES (:id, 'hr', 'PersonChanged', 'parked', '00-a-b-01', 'malformed: name', false, '{}')"""),
            {"id": id_},
        )
    return id_


def test_whoever_retries_or_discards_a_message_stands_in_the_audit_log_with_his_reason(
    finance: Database, client: TestClient
) -> None:
    first, second = parked(finance), parked(finance)
    for who, status in (("clerk", 403), ("auditor", 403), ("operator", 200)):
        answer = client.post(f"/ops/parked/{first}/retry", headers={"Authorization": f"Bearer {who}"})
        assert answer.status_code == status, answer.text
    answer = client.post(f"/ops/parked/{second}/discard", json={"reason": "双份"}, headers=OPERATOR)
    assert answer.json() == {"count": 1}
    assert client.post(f"/ops/parked/{second}/retry", headers=OPERATOR).status_code == 404
    log = client.get(
        "/api/audit-log", params={"table": "operator_acts"}, headers={"Authorization": "Bearer auditor"}
    ).json()
    acts = [(one["cause"], one["after"]["act"], one["after"].get("reason"), one["after"]["message_id"]) for one in log]
    assert acts == [
        ("POST /ops/parked/{message_id}/retry", "retry", None, str(first)),
        ("POST /ops/parked/{message_id}/discard", "discard", "双份", str(second)),
    ]
    assert {one["actor_id"] for one in log} == {one["after"]["person_id"] for one in log}


@pytest.mark.parametrize("service", SERVICES)
def test_what_operators_did_stays(installation: str, service: str) -> None:
    at = database(service, WORKER)
    act = {"id": new_id(), "message": new_id(), "person": new_id()}
    with at.session() as session:
        session.execute(
            text("INSERT INTO operator_acts (id, message_id, act, person_id) VALUES (:id, :message, 'retry', :person)"),
            act,
        )
    for statement in ("DELETE FROM operator_acts", "UPDATE operator_acts SET reason = 'x'"):
        with pytest.raises(DatabaseError), at.session() as session:
            session.execute(text(statement))
