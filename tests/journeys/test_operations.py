"""What operators see and do of a running installation: `bianmin doctor` finds faults, `bianmin ops` mends them."""

import json
import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import redis
from sqlalchemy.engine import make_url

from bianmin.address import Address
from bianmin.backup.checking import DRILL
from bianmin.backup.taking import ABOUT
from bianmin.children import wait_until
from bianmin.client import Client, Person
from bianmin.doctor.checks import DRILL_DAYS, LONG_QUEUE
from bianmin.doctor.command import examine
from bianmin.doctor.patient import looking_at
from bianmin.exports import SERVICES
from shared.broker import broker_client
from shared.settings import settings
from tests.collector import Collector, Span, collecting
from tests.debian import needs
from tests.folders import reachable_folder
from tests.stack import RunningStack, running

pytestmark = pytest.mark.journey


PATIENCE = 240
"""Seconds anything is awaited on a busy machine."""

NAME, HIRED = "踪迹小区", "江岚甲"
"""Marked: whatever tells of them tells of people and places."""


LOOK = "INSERT INTO installation.verifications (at, seconds, invariant, violations) VALUES (now(), 1, 'books', %s)"


@dataclass(frozen=True)
class House:
    """A real installation, founded, without a site yet; its people, and its servers as their administrator."""

    stack: RunningStack
    administrator: Person
    operator: Person
    database: psycopg.Connection
    broker: "redis.Redis"
    collector: Collector

    def said(self, **options: Any) -> list[str]:
        """What the doctor says is wrong, and after a question mark what he cannot look at."""
        with looking_at(self.stack.data, **{"backups": None, "free_percent": 0} | options) as patient:
            found, unseen = examine(patient)
        return [*found, *(f"? {sentence}" for sentence in unseen)]

    def await_said(self, *beginnings: str) -> None:
        """Wait until the doctor says just this, each sentence by its beginning."""

        def says() -> bool:
            said = self.said()
            return len(said) == len(beginnings) and all(s.startswith(b) for s, b in zip(said, beginnings, strict=True))

        wait_until(f"the doctor to say {beginnings}", says, seconds=PATIENCE, every=0.3)

    def does(self, sql: str, *values: Any) -> None:
        """As the owner of the database, who may do anything."""
        self.database.execute(sql.encode(), values)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with (
        pytest.MonkeyPatch.context() as environment,
        reachable_folder() as folder,
        collecting() as collector,
        running(
            folder / "data",
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "OTEL_BSP_SCHEDULE_DELAY": "200",
                "BIANMIN_TASK_EVENTS": "true",
            },
        ) as stack,
    ):
        for name in [name for name in os.environ if name.startswith("BIANMIN_")]:
            environment.delenv(name)  # what other tests of this process look at
        address = Address.read(stack.data)
        with stack.client() as client:
            made = client.post(
                None, "/hr/api/company", secret=address.founder_secret, name="便民", administrator="周宁"
            )
            administrator = Person(made["person_id"], "周宁", "administrator", made["token"])
            operator_id = hired(client, administrator, "operator")
        url = make_url(address.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as database, broker_client(stack.broker_url) as broker:
            database.execute(LOOK.encode(), (0,))  # so that none is due while the tests tamper
            operator = given_a_token(database, operator_id)
            yield House(stack, administrator, operator, database, broker, collector)


def hired(client: Client, administrator: Person, role: str) -> str:
    """Somebody for all sites; his id."""
    body = {"name": HIRED, "role": role, "department": DEPARTMENTS[role], "all_sites": True, "site_ids": []}
    id_: str = client.post(administrator, "/hr/api/people", **body)["id"]
    return id_


DEPARTMENTS = {"operator": "administration", "cashier": "finance", "clerk": "front_desk", "leader": "management"}


def given_a_token(database: psycopg.Connection, person_id: str) -> Person:
    """As if he had signed in and made himself one, in every service."""
    token = secrets.token_hex(32)
    for service in SERVICES:
        known = f"UPDATE {service}.people SET token_hash = %s WHERE id = %s".encode()
        hashed = sha256(token.encode()).hexdigest()
        wait_until(
            f"{service} to know him",
            lambda known=known, hashed=hashed: database.execute(known, (hashed, person_id)).rowcount == 1,  # type: ignore[misc]
            seconds=PATIENCE,
        )
    return Person(person_id, HIRED, "operator", token)


def test_of_a_healthy_installation_the_doctor_says_nothing_and_ends_with_0(house: House) -> None:
    house.await_said()
    done = house.stack.bianmin("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("nothing is wrong")


def test_a_parked_message_is_found_retried_and_discarded_and_the_audit_log_says_who(house: House) -> None:
    """One that hr really sends, and finance cannot understand."""
    house.does(
        "INSERT INTO hr.outbox (message_id, receiver, type, body, traceparent) SELECT gen_random_uuid(), 'finance',"
        " 'PersonChanged', '{}', '00-' || repeat('ab', 16) || '-' || repeat('cd', 8) || '-01'"
    )
    house.await_said("1 messages to finance are parked: `bianmin ops parked` says why")

    def ops(*arguments: str, who: Person = house.operator) -> str:
        done = house.stack.bianmin("ops", *arguments, "--token", who.token)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (line,) = ops("parked").splitlines()
    assert line.startswith("finance parked PersonChanged ")
    assert "malformed: " in line
    id_ = line.split()[3].rstrip(":")
    refused = house.stack.bianmin("ops", "retry", "finance", id_, "--token", house.administrator.token)
    assert refused.returncode == 1
    assert "may not operate" in " ".join(refused.stderr.split())
    assert "once more" in ops("retry", "finance", id_)
    house.await_said("1 messages to finance are parked")  # it is as malformed as before
    assert "given" in ops("discard", "finance", id_, "--reason", "试发的消息")
    house.await_said()
    acts = house.database.execute(
        "SELECT actor_id::text, after->>'act', after->>'reason' FROM finance.audit_log"
        " WHERE table_name = 'operator_acts' ORDER BY id"
    ).fetchall()
    assert acts == [(house.operator.id, "retry", None), (house.operator.id, "discard", "试发的消息")]
    shown = ops("workers")
    assert shown.count(" running ") == len(SERVICES)
    assert "webhook_delivery" in ops("ticks")


def test_what_is_no_message_is_found(house: House) -> None:
    house.broker.lpush("dispatch", b"no message")
    house.await_said("1 things that are no message of ours, or forged, came to the queue of dispatch")
    house.does("DELETE FROM dispatch.unreadable")


def test_a_broker_that_would_drop_messages_is_found(house: House) -> None:
    house.broker.config_set("maxmemory-policy", "allkeys-lru")
    assert house.said() == [
        "the broker's maxmemory-policy is allkeys-lru, so it drops messages when it is full: set it to noeviction"
    ]
    house.broker.config_set("maxmemory-policy", "noeviction")


def test_a_schema_that_is_behind_is_found(house: House) -> None:
    held = house.database.execute("SELECT version_num FROM hr.alembic_version").fetchall()[0][0]
    house.does("UPDATE hr.alembic_version SET version_num = '0001'")
    assert house.said() == [f"the schema of hr is at version 0001 and {held} is needed: run `bianmin prepare`"]
    house.does("UPDATE hr.alembic_version SET version_num = %s", held)


def test_keys_that_are_missing_or_for_everybody_to_read_are_found(house: House) -> None:
    key, sealing = house.stack.data / "keys/hr/private.pem", house.stack.data / "data-keys"
    away = key.rename(key.with_suffix(".away"))
    sealing.chmod(0o644)
    assert house.said() == [
        f"the key {key} is missing, and hr cannot sign its messages: run `bianmin keys new`",
        f"{sealing} can be read by everybody on this machine: chmod 600 {sealing}",
    ]
    away.rename(key)
    sealing.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_violated_invariant_and_one_that_nobody_looks_at_are_found(house: House) -> None:
    house.does(LOOK, 2)
    (violated,) = house.said()
    assert violated.startswith("the invariant books is violated 2 times")
    house.does(LOOK, 0)
    assert house.said() == []
    house.does("DELETE FROM installation.verifications")
    house.does("UPDATE installation.clock SET set_at = set_at - interval '27 hours'")
    (unseen,) = house.said()
    assert unseen.startswith("the invariants were not verified for 27 h")
    house.does("UPDATE installation.clock SET set_at = set_at + interval '27 hours'")
    house.does(LOOK, 0)


def test_a_missing_an_old_and_a_never_restored_backup_are_found(house: House, tmp_path: Path) -> None:
    assert house.said(backups=tmp_path)[0].startswith(f"there is no backup in {tmp_path}")
    assert house.stack.bianmin("backup", "run", "--to", str(tmp_path)).returncode == 0
    (about,) = tmp_path.glob(f"*/{ABOUT}")
    (never,) = house.said(backups=tmp_path)
    assert never.startswith(f"no backup in {tmp_path} was ever restored")
    restored = about.parent / DRILL
    restored.touch()
    assert house.said(backups=tmp_path) == []
    long_ago = restored.stat().st_mtime - (DRILL_DAYS + 2) * 86_400 - 60
    os.utime(restored, (long_ago, long_ago))
    about.write_text(json.dumps(json.loads(about.read_text()) | {"taken_at": "2026-01-01T00:00:00+00:00"}))
    old, drill = house.said(backups=tmp_path)
    assert old.startswith(f"the newest backup in {tmp_path} is ")
    assert drill.startswith(f"for {DRILL_DAYS + 2} days no backup")


def test_a_disk_that_is_nearly_full_is_found(house: House) -> None:
    (full,) = house.said(free_percent=100)
    assert full.startswith(f"the disk of {house.stack.data} is nearly full")


def test_a_clock_that_is_off_is_found_and_the_exit_code_is_1(house: House) -> None:
    faketime = needs("faketime", "faketime")
    done = subprocess.run(
        [faketime, "-f", "+300s", sys.executable, "-m", "bianmin", "doctor", "--data", str(house.stack.data)],
        env=house.stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = "✗ the clocks of this machine and of the database are 300 s apart: let both be set by NTP"
    assert (done.returncode, said in done.stdout) == (1, True), done.stdout + done.stderr


def test_a_server_spoken_to_in_plain_text_and_weak_secrets_are_found(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIANMIN_DATABASE_URL", "postgresql+psycopg://bianmin:x@database.invalid/bianmin")
    plain, gone = house.said()
    assert plain.startswith("the database at database.invalid would be spoken to in plain text")
    assert gone.startswith("the database does not answer")
    monkeypatch.setenv("BIANMIN_DATABASE_URL", "postgresql+psycopg://bianmin:postgres@127.0.0.1:1/bianmin")
    monkeypatch.setenv("BIANMIN_BROKER_URL", house.stack.broker_url)
    settings.cache_clear()
    assert house.said()[0].startswith("the database password of bianmin is too short")
    settings.cache_clear()


NOT_YET = ("no price book is in force", "site NEW has no blank receipt")
LATER = (NOT_YET[0], "site FL has no blank receipt", NOT_YET[1], "site OT has no blank receipt")
"""What is still wrong when two further sites were opened."""


def test_a_site_that_cannot_work_yet_is_found(house: House) -> None:
    with house.stack.client() as client:
        client.post(house.administrator, "/hr/api/sites", code="NEW", name="新小区")
        house.await_said(*NOT_YET, "site NEW has no cashier", "site NEW has no clerk", "site NEW has no leader")
        for role in ("cashier", "clerk", "leader"):
            hired(client, house.administrator, role)
    house.await_said(*NOT_YET)


def test_one_trace_runs_from_the_request_over_the_outbox_into_the_statements_of_another_service(house: House) -> None:
    trace, asked = "0123456789abcdef" * 2, "fedcba9876543210"
    answer = httpx.post(
        f"{Address.read(house.stack.data).base_url}/hr/api/sites",
        json={"code": "OT", "name": NAME},
        headers={
            "Authorization": f"Bearer {house.administrator.token}",
            "Idempotency-Key": "traced",
            "traceparent": f"00-{trace}-{asked}-01",
        },
        timeout=30,
    )
    assert (answer.status_code, answer.headers["X-Trace-Id"]) == (201, trace)

    def all_told() -> bool:
        """Each process tells its own, when it has some together."""
        known = house.collector.of(trace)
        handled = {s.service for s in known if s.name == "handle SiteChanged"}
        return handled == {"intake", "dispatch", "finance"} and {s.parent for s in known} - {s.id for s in known} == {
            asked
        }

    wait_until("the collector to be told", all_told, seconds=PATIENCE)
    spans = house.collector.of(trace)

    def one(service: str, name: str, parent: Span | None = None) -> Span:
        return next(
            s for s in spans if (s.service, s.name) == (service, name) and (not parent or s.parent == parent.id)
        )

    request = one("hr", "POST /api/sites")
    assert request.parent == asked
    assert one("hr", "INSERT", request)
    by_id = {span.id: span for span in spans}
    for service in ("intake", "dispatch", "finance"):
        handling = one(service, "handle SiteChanged")
        sending = by_id[handling.parent]
        assert (sending.service, sending.name, sending.parent) == ("hr", "send SiteChanged", request.id)
        assert one(service, "INSERT", handling)
    assert not any(NAME in span.said for span in house.collector.spans)


FLOWER = [sys.executable, "-m", "bianmin", "flower"]
WORD = "3b1f0c8a5d7e49268af1c02d94be7763"


def test_flower_is_shown_to_nobody_elsewhere_who_does_not_sign_in(tmp_path: Path) -> None:
    (tmp_path / "login").write_text("operator:short", encoding="utf-8")
    wrong = (["--address", "0.0.0.0"], ["--address", "localhost"], ["--login", str(tmp_path / "login")])
    for options in (*wrong, ["--login", str(tmp_path / "nowhere")]):
        done = subprocess.run([*FLOWER, *options], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr


def test_flower_shows_every_worker_and_task_and_nothing_of_what_they_carry(house: House) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, login = house.stack.data / "flower.log", house.stack.data / "flower-login"
    login.write_text(f"operator:{WORD}\n", encoding="utf-8")
    with log.open("wb") as output:
        flower = subprocess.Popen(
            [*FLOWER, "--data", str(house.stack.data), "--port", str(port), "--login", str(login)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=house.stack.environment,
        )
    try:

        def asked(path: str, auth: tuple[str, str] | None = ("operator", WORD)) -> httpx.Response:
            return httpx.get(f"http://127.0.0.1:{port}{path}", auth=auth, timeout=30)

        def told(what: str) -> Any:
            try:
                return asked(f"/api/{what}").json()
            except httpx.TransportError:
                return {"not": "yet"}

        def workers() -> dict[str, bool]:
            listed = asked("/workers?json=1").json()["data"]
            return {one["hostname"].partition("@")[0]: bool(one["status"]) for one in listed}

        wait_until("Flower to listen", lambda: told("tasks") != {"not": "yet"}, seconds=PATIENCE, every=0.5)
        assert {asked(path, None).status_code for path in ("/workers", "/tasks", "/api/tasks")} == {401}
        wait_until(
            "Flower to see them", lambda: workers() == dict.fromkeys(SERVICES, True), seconds=PATIENCE, every=0.5
        )
        with house.stack.client() as client:
            client.post(house.administrator, "/hr/api/sites", code="FL", name=NAME)
        names = {f"{service}.SiteChanged" for service in ("intake", "dispatch", "finance")}

        def seen() -> bool:
            return names <= {one["name"] for one in told("tasks").values() if one["state"] == "SUCCESS"}

        wait_until("Flower to see the tasks", seen, seconds=PATIENCE, every=0.5)
        tasks = told("tasks")
        assert {(one["args"], one["kwargs"]) for one in tasks.values()} == {("-", "-")}
        assert NAME not in json.dumps(tasks, ensure_ascii=False)
    finally:
        flower.terminate()
        flower.wait(20)
    assert "permission" not in log.read_text()


def test_no_log_of_any_process_names_anybody(house: House) -> None:
    """Whoever was hired and what was opened in this file, in the logs of the web, the workers and the engines."""
    logs = {path.name: path.read_text(errors="replace") for path in (house.stack.data / "logs").iterdir()}
    assert {"web.log", *(f"worker-{service}.log" for service in SERVICES)} <= logs.keys()
    for name, words in logs.items():
        for told in (NAME, HIRED, "新小区", house.administrator.token, house.operator.token):
            assert told not in words, name


def test_a_worker_that_is_gone_and_all_that_waits_for_it_are_found(house: House) -> None:
    """Nobody starts it again, because its supervisor stands still."""
    supervisor = house.stack.process
    supervisor.send_signal(signal.SIGSTOP)
    try:
        house.stack.worker("finance").kill()
        house.broker.lpush("finance", *[b"{}"] * (LONG_QUEUE + 1))
        house.does("INSERT INTO finance.ledger_anchors (due_at) VALUES (now() - interval '5 minutes')")
        house.does(
            "INSERT INTO hr.outbox (message_id, receiver, type, body, traceparent, published_at)"
            " SELECT gen_random_uuid(), 'finance', 'PersonChanged', '{}',"
            " '00-' || repeat('ab', 16) || '-' || repeat('cd', 8) || '-01', clock_timestamp() - interval '2 minutes'"
        )
        house.await_said(
            f"{LONG_QUEUE + 1} tasks wait for finance",
            "no worker of finance runs",
            "1 messages of hr to finance are not acknowledged, the oldest for 1",
            "1 deadlines (ledger_anchor) have passed and nothing was done",
            *LATER,
        )
    finally:
        house.does("DELETE FROM finance.ledger_anchors")
        house.does("DELETE FROM hr.outbox WHERE acknowledged_at IS NULL")
        house.broker.delete("finance")
        supervisor.send_signal(signal.SIGCONT)
    house.await_said(*LATER)


def test_servers_that_are_gone_and_an_installation_that_does_not_run_are_found(house: House) -> None:
    supervisor = house.stack.process
    supervisor.send_signal(signal.SIGSTOP)
    try:
        for process in psutil.Process(supervisor.pid).children():
            if process.name() in {"postgres", "valkey-server", "redis-server"}:
                process.send_signal(signal.SIGQUIT if process.name() == "postgres" else signal.SIGKILL)
        house.await_said("the database does not answer, or was never prepared", "the broker does not answer")
    finally:
        supervisor.send_signal(signal.SIGCONT)
    house.await_said(*LATER)  # its supervisor starts both again
    assert house.stack.stop() == 0
    stopped = house.stack.bianmin("doctor")
    sentence = f"nothing runs in {house.stack.data}: start it with `bianmin up --data {house.stack.data}`"
    assert (stopped.returncode, stopped.stdout) == (1, f"✗ {sentence}\n")
    house.stack.data = house.stack.data / "nowhere"
    nowhere = house.stack.bianmin("doctor")
    assert nowhere.returncode == 2
    assert nowhere.stdout.startswith(f"? there is no installation in {house.stack.data}")
