"""The audit log: every change is in it, with who, why and what; nobody changes it; a changed byte is found."""

import csv
import json
from collections.abc import Callable
from importlib import import_module
from io import StringIO

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from bianmin.verify import audit_logs
from bianmin.verify.run import connected, verify
from shared import audit_routes
from shared.audit import because, cause_of, seal
from shared.audit_triggers import NOT_AUDITED, PERSONAL
from shared.db import SERVICES, WORKER, database
from tests.shared.test_schema import metadata_of


def founded(client: TestClient) -> dict[str, str]:
    """The company's administrator and an auditor he employed: how each asks."""
    body = {"secret": "the-founder-of-the-tests", "name": "便民", "administrator": "周宁"}
    administrator = {"Authorization": f"Bearer {client.post('/api/company', json=body).json()['token']}"}
    post = {"name": "江岚", "role": "auditor", "department": "administration", "all_sites": True, "site_ids": []}
    employed = client.post("/api/people", json=post, headers=administrator | {"Idempotency-Key": "1"})
    assert employed.status_code == 201, employed.text
    person = employed.json()["id"]
    token = client.post(f"/api/people/{person}/token", headers=administrator | {"Idempotency-Key": "2"}).json()["token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def client(installation: str) -> TestClient:
    return TestClient(import_module("services.hr.main").web)


_AUDITED = text("""
    SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE tgname = 'audited' AND tgenabled = 'O' AND c.relnamespace = CAST(:service AS regnamespace)
""")


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_writes_its_changes_into_the_log_but_those_that_say_so(template: str, service: str) -> None:
    with create_engine(template, poolclass=NullPool).connect() as owner:
        found = set(owner.scalars(_AUDITED, {"service": service}))
    assert found == set(metadata_of(service).tables) - NOT_AUDITED


def test_what_is_personal_is_a_column_of_some_table() -> None:
    columns = {
        column.name
        for service in SERVICES
        for table in metadata_of(service).tables.values()
        for column in table.columns
    }
    assert columns >= PERSONAL


def test_an_entry_says_who_changed_what_when_from_where_and_what_stood_there_before(client: TestClient) -> None:
    auditor = founded(client)
    first = client.get("/api/audit-log", params={"table": "people"}, headers=auditor).json()
    assert [(e["cause"], e["operation"], e["actor"]) for e in first] == [
        ("POST /company", "insert", None),
        ("POST /people", "insert", "周宁"),
        ("POST /people/{person_id}/token", "update", "周宁"),
    ]
    changed = first[2]
    assert changed["before"] | changed["after"] == {"token_hash": "…", "version": 2}
    assert (changed["before"]["version"], changed["address"], changed["row"]) == (1, "testclient", first[1]["row"])
    assert len(changed["trace"]) == 32


def test_entries_are_found_by_row_person_cause_and_time_and_exported_as_a_file(client: TestClient) -> None:
    auditor = founded(client)
    every = client.get("/api/audit-log", headers=auditor).json()
    for name, value in (("row", every[-1]["row"]), ("cause", "POST /people"), ("actor_id", every[-1]["actor_id"])):
        key = {"row": "row", "cause": "cause", "actor_id": "actor_id"}[name]
        expected = [entry for entry in every if entry[key] == value]
        assert 0 < len(expected) < len(every)
        assert client.get("/api/audit-log", params={name: value}, headers=auditor).json() == expected
    assert client.get("/api/audit-log", params={"until": every[0]["at"]}, headers=auditor).json() == []
    assert client.get("/api/audit-log", params={"after": every[-2]["id"]}, headers=auditor).json() == every[-1:]
    refused = client.get("/api/audit-log", params={"since": "yesterday"}, headers=auditor)
    assert refused.status_code == 422


def test_a_file_has_every_entry_however_many_and_none_is_a_formula(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = founded(client)
    with database("hr", WORKER).session() as session:
        because(session, cause_of("=1+1"))
        session.execute(
            text("""
                INSERT INTO sites (id, version, code, name, zone, closing)
                SELECT gen_random_uuid(), 1, 'S' || n, 'x', 'Asia/Shanghai', '18:00' FROM generate_series(1, 250) n
            """)
        )
    monkeypatch.setattr(audit_routes, "AT_ONCE", 100)
    file = client.get("/api/audit-log/export.csv", params={"table": "sites"}, headers=auditor)
    lines = list(csv.DictReader(StringIO(file.content.decode("utf-8-sig"))))
    assert [json.loads(line["after"])["code"] for line in lines] == [f"S{n}" for n in range(1, 251)]
    assert {line["cause"] for line in lines} == {"'=1+1"}


def test_a_change_by_a_rule_names_the_rule_and_one_by_hand_says_so(session_of: Callable[[str], Session]) -> None:
    session = session_of("finance")
    change = text(
        "INSERT INTO sites (id, version, code, name, zone, closing)"
        " VALUES (gen_random_uuid(), 1, :code, 'x', 'Asia/Shanghai', '18:00')"
    )
    session.execute(change, {"code": "hand"})
    because(session, cause_of("deadline cash_missing"))
    session.execute(change, {"code": "rule"})
    session.execute(text("UPDATE sites SET name = name WHERE code = 'rule'"))  # changes nothing
    causes = session.execute(text("SELECT after ->> 'code', cause FROM audit_log ORDER BY id")).all()
    assert causes == [("hand", "by hand"), ("rule", "deadline cash_missing")]


CHANGES = ["UPDATE audit_log SET cause = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
ADD = (
    "INSERT INTO audit_log (at, recorded_at, cause, login, table_name, row_key, operation)"
    " VALUES (now(), now(), '', '', '', '', '')"
)


@pytest.mark.parametrize("statement", [ADD, *CHANGES])
def test_the_service_changes_nothing_in_its_log_by_hand(client: TestClient, statement: str) -> None:
    founded(client)
    with database("hr", WORKER).engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text(statement))


@pytest.mark.parametrize("statement", CHANGES)
def test_not_even_the_owner_changes_what_is_in_the_log(client: TestClient, committing: Engine, statement: str) -> None:
    founded(client)
    with committing.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(statement.replace("audit_log", "hr.audit_log")))


def violated(url: str) -> set[str]:
    with connected(url) as connection:
        return {found.invariant.name for found in verify(connection, of=audit_logs.INVARIANTS).violated}


def test_the_log_is_sealed_by_any_number_of_sealers_and_one_changed_byte_is_found(
    client: TestClient, installation: str, committing: Engine
) -> None:
    founded(client)
    hr = database("hr", WORKER)
    assert seal(hr) > 3
    assert seal(hr) == 0
    assert violated(installation) == set()
    with committing.begin() as owner:
        owner.execute(text("SET LOCAL session_replication_role = replica"))
        owner.execute(text("UPDATE hr.audit_log SET after = jsonb_set(after, '{name}', '\"周寧\"') WHERE place = 1"))
    assert violated(installation) == {"audit_logs_are_whole"}
