"""The audit log: every change is in it, with who, why and what; nobody changes it; a changed byte is found."""

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, time
from importlib import import_module
from io import StringIO
from uuid import UUID

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from bianmin.verify import audit_logs
from bianmin.verify.run import connected, verify
from services.dispatch.tasks import tasks as tasks_of_dispatch
from services.hr.actions import session as session_of_hr
from services.hr.rules.login import SignInPolicy
from services.intake.rules.callback import CallbackPolicy
from services.intake.rules.privacy import RetentionPolicy
from services.intake.rules.scope import TradePolicy
from shared import audit_routes
from shared.audit import ACTING, because, cause_of, on_behalf_of, seal
from shared.audit_triggers import NOT_AUDITED, PERSONAL
from shared.bus.outbox import publish, take_due
from shared.db import SERVICES, WORKER, database
from shared.ids import NO_SITE, new_id
from shared.messages import SiteChanged, StatisticsAgreed
from shared.people import Actor
from shared.policy_rows import change, in_force, in_force_at, in_force_together, views
from tests.conftest import START
from tests.people import employ, open_site
from tests.shared.test_schema import metadata_of
from tests.signed import receive


def founded(client: TestClient) -> dict[str, str]:
    """The company's administrator and an auditor he employed: how each asks."""
    body = {"secret": "fb5eface91ebdcf221fa69f8267de288dd916c801780d020", "name": "便民", "administrator": "周宁"}
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


def test_an_entry_says_on_whose_behalf_somebody_acted_and_what_it_caused_elsewhere_says_who_did(
    client: TestClient,
) -> None:
    auditor = founded(client)
    (employed,) = client.get(
        "/api/audit-log", params={"cause": "POST /people", "table": "people"}, headers=auditor
    ).json()
    administrator, person = employed["actor_id"], UUID(employed["row"])
    with database("hr", WORKER).session() as session:
        acting = Actor(UUID(administrator), "周宁", "administrator", "administration", None)
        session_of_hr.end_of(session, person_id=person, actor=acting, now=START)
    ended = client.get("/api/audit-log", params={"cause": "by hand", "table": "people"}, headers=auditor).json()
    assert {(one["behalf_of_id"], one["behalf_of"], one["row"]) for one in ended} == {
        (str(person), "江岚", str(person))
    }
    assert employed["behalf_of"] is None

    with database("hr", WORKER).session() as session:
        envelopes = [one for one in take_due(session) if one.receiver == "dispatch"]
    dispatch = database("dispatch", WORKER)
    for envelope in envelopes:
        assert receive(dispatch, tasks_of_dispatch.handlers, asdict(envelope)) == "handled"
    heard = text("SELECT cause, actor_id, behalf_of FROM audit_log WHERE row_key = :row AND operation = 'insert'")
    with dispatch.session() as session:
        assert session.execute(heard, {"row": str(person)}).all() == [
            ("message PersonChanged", None, UUID(administrator))
        ]


def test_whose_act_it_was_goes_from_message_to_message(installation: str) -> None:
    person, hr, intake = new_id(), database("hr", WORKER), database("intake", WORKER)

    def handle(session: Session, message: SiteChanged, *, now: datetime) -> None:
        publish(session, StatisticsAgreed(site_id=message.site_id, month="2026-04", agreed_at=now))

    with hr.session() as session:
        session.info[ACTING] = person
        publish(
            session,
            SiteChanged(site_id=new_id(), version=1, code="BK", name="", zone="Asia/Shanghai", closing=time(18)),
        )
        (envelope,) = [one for one in take_due(session) if one.receiver == "intake"]
    assert receive(intake, {"SiteChanged": handle}, asdict(envelope)) == "handled"
    with intake.session() as session:
        assert {one.body["acting_person"] for one in take_due(session)} == {str(person)}


def test_an_entry_says_which_row_of_each_policy_its_transaction_had_asked_for_the_rows_site(
    session_of: Callable[[str], Session],
) -> None:
    intake = session_of("intake")
    one, other = open_site(intake, "ONE"), open_site(intake, "OTHER")
    boss = employ(intake, "administrator", "administration")
    change(
        intake,
        CallbackPolicy(minutes=5, warn_at=4),
        site_id=one,
        effective_from=START,
        reason="busy",
        actor=boss,
        now=START,
    )
    version = intake.execute(text("SELECT id FROM policies")).scalar_one()
    raised = text("""
        INSERT INTO alerts (id, kind, site_id, subject_id, facts, raised_at)
        VALUES (gen_random_uuid(), 'x', :site_id, gen_random_uuid(), '{}', clock_now())
    """)
    intake.execute(raised, {"site_id": one})
    in_force_at(intake, CallbackPolicy, site_ids=[one, other], at=START)
    in_force_together(intake, CallbackPolicy, TradePolicy, site_id=one, at=START)
    in_force(intake, RetentionPolicy, site_id=NO_SITE, at=START)
    for site_id in (one, other):
        intake.execute(raised, {"site_id": site_id})
    noted = intake.execute(text("SELECT policies FROM audit_log WHERE table_name = 'alerts' ORDER BY id")).scalars()
    assert list(noted) == [
        None,
        [f"CallbackPolicy@{version}", "TradePolicy@default", "RetentionPolicy@default"],
        ["CallbackPolicy@default", "RetentionPolicy@default"],
    ]
    assert views(intake, boss, (CallbackPolicy,))[0].changes[0]["id"] == version


def test_what_was_sealed_before_entries_said_for_whom_and_by_which_policy_is_still_whole(
    client: TestClient, installation: str, committing: Engine
) -> None:
    founded(client)
    seal(database("hr", WORKER))
    sealed_before = text("""
        SELECT hash = encode(sha256(convert_to('1::' || CAST(jsonb_build_array(
            id, at AT TIME ZONE 'UTC', recorded_at AT TIME ZONE 'UTC', actor_id, cause, address, trace, login,
            table_name, row_key, operation, site_id, before, after) AS text), 'UTF8')), 'hex')
        FROM hr.audit_log WHERE place = 1
    """)
    with committing.connect() as owner:
        assert owner.execute(sealed_before).scalar_one()
    assert violated(installation) == set()


@pytest.mark.parametrize("forged", ["behalf_of = gen_random_uuid()", "policies = '[\"CashPolicy@default\"]'"])
def test_for_whom_and_by_which_policy_is_sealed_too(
    client: TestClient, installation: str, committing: Engine, forged: str
) -> None:
    founded(client)
    hr = database("hr", WORKER)
    with hr.session() as session:
        in_force(session, SignInPolicy, site_id=NO_SITE, at=START)
        on_behalf_of(session, new_id())
        session.execute(text("UPDATE people SET name = '江楠'"))
    seal(hr)
    assert violated(installation) == set()
    for place in (1, "max(place)"):  # one that said neither, and one that said both
        with committing.begin() as owner:
            owner.execute(text("SET LOCAL session_replication_role = replica"))
            where = f"WHERE place = (SELECT {place} FROM hr.audit_log LIMIT 1)"
            owner.execute(text(f"CREATE TABLE kept AS SELECT * FROM hr.audit_log {where}"))
            owner.execute(text(f"UPDATE hr.audit_log SET {forged} {where}"))
        assert violated(installation) == {"audit_logs_are_whole"}
        with committing.begin() as owner:
            owner.execute(text("SET LOCAL session_replication_role = replica"))
            owner.execute(
                text("""
                    UPDATE hr.audit_log l SET behalf_of = k.behalf_of, policies = k.policies FROM kept k
                    WHERE l.id = k.id
                """)
            )
            owner.execute(text("DROP TABLE kept"))
        assert violated(installation) == set()


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
