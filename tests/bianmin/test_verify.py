"""`bianmin verify` on a month that was lived: it finds nothing, and then each thing that was tampered with."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url

from bianmin.children import wait_until
from bianmin.month.cast import Cast
from bianmin.stack import Stack
from bianmin.verify import INVARIANTS
from bianmin.verify.deadlines import DEADLINES
from bianmin.verify.run import DUE, Report, connected, run, run_if_due, verify
from shared import db
from shared.installation import prepare
from shared.settings import settings
from tests.bianmin.many_rows import fill
from tests.bianmin.tamperings import TAMPERINGS, Tampering
from tests.bianmin.town import TASKS, TownClient, live_a_month
from tests.conftest import START

SECRET = "the-founder-of-the-town"


@dataclass(frozen=True)
class LivedTown:
    """Where the month was lived, and by whom."""

    url: str
    client: TownClient
    cast: Cast


@pytest.fixture(scope="module")
def lived(template: str) -> Iterator[LivedTown]:
    """A month that was lived, settled and paid out; tests leave its database as they found it."""
    server = create_engine(
        make_url(template).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE town"))
    url = make_url(template).set(database="town").render_as_string(hide_password=False)
    prepare(url, simulated_at=START.isoformat())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BIANMIN_DATABASE_URL", url)
        environment.setenv("BIANMIN_FOUNDER_SECRET", SECRET)
        environment.setenv("BIANMIN_LOG_LEVEL", "error")
        environment.setenv("BIANMIN_DESCRIBE_PUBLICLY", "true")
        settings.cache_clear()
        db.close_databases()
        client, cast = live_a_month(url, SECRET, "BK")
        yield LivedTown(url, client, cast)
        db.close_databases()
    settings.cache_clear()
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE town WITH (FORCE)"))


@pytest.fixture
def town(lived: LivedTown) -> str:
    """Its database."""
    return lived.url


@pytest.fixture
def owner(town: str) -> Iterator[psycopg.Connection]:
    """The superuser, whose changes are undone after the test."""
    with psycopg.connect(town.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


def seen_after(owner: psycopg.Connection, *tampering: str) -> Report:
    """What the verifier sees after somebody changed the database below every trigger and foreign key."""
    owner.execute("SET LOCAL session_replication_role = replica")
    for statement in tampering:
        assert owner.execute(statement).rowcount != 0, f"nothing was tampered with: {statement}"
    owner.execute("SET LOCAL session_replication_role = origin")
    owner.execute("SET LOCAL ROLE bianmin_verifier; SET LOCAL app.sites = '*'")
    return verify(owner, settled=True)


FROM_THE_LAST_ANCHOR_ON = "(SELECT max(seq) FROM hr.ledger_anchors)"


def test_a_month_that_was_lived_violates_nothing_even_at_rest(town: str) -> None:
    with connected(town) as connection:
        report = run(connection, settled=True)
    assert [(found.invariant.name, found.shown) for found in report.violated] == []
    assert (report.looked, report.exit_code) == (len(INVARIANTS), 0)


@pytest.mark.parametrize("tampered", TAMPERINGS, ids=lambda t: t.invariant)
def test_tampering_is_seen_by_its_invariant_which_names_the_row(owner: psycopg.Connection, tampered: Tampering) -> None:
    report = seen_after(owner, *tampered.statements)
    found = {one.invariant.name: one for one in report.violated}
    assert set(found) == {tampered.invariant, *tampered.also}
    seen = found[tampered.invariant]
    assert seen.count >= 1
    assert any(tampered.named in what for what in seen.shown), seen.shown


def test_the_rows_by_which_the_verifier_is_timed_violate_nothing(owner: psycopg.Connection) -> None:
    fill(owner, 40)
    assert [(found.invariant.name, found.shown) for found in verify(owner).violated] == []


def test_a_tail_cut_off_is_seen_although_the_rest_of_the_chain_is_whole(owner: psycopg.Connection) -> None:
    cut = f"(SELECT journal_id FROM finance.ledger_chain WHERE seq >= {FROM_THE_LAST_ANCHOR_ON})"
    report = seen_after(
        owner,
        f"DELETE FROM finance.journal_lines WHERE journal_id IN {cut}",
        f"DELETE FROM finance.journals WHERE id IN {cut}",
        f"DELETE FROM finance.ledger_chain WHERE seq >= {FROM_THE_LAST_ANCHOR_ON}",
    )
    found = {one.invariant.name: one.shown for one in report.violated}
    assert "does not reach it" in found["the_chain_reaches_its_anchors"][0]
    assert not {"the_chain_is_whole", "journals_are_chained"} & set(found)


def test_every_invariant_has_been_violated_by_some_tampering() -> None:
    assert {invariant.name for invariant in INVARIANTS} == {tampered.invariant for tampered in TAMPERINGS}


def test_every_invariant_has_an_exit_code_of_its_own() -> None:
    codes = [invariant.code for invariant in INVARIANTS]
    assert len(set(codes)) == len(codes)
    assert len({invariant.name for invariant in INVARIANTS}) == len(codes)
    assert all(10 <= code <= 125 for code in codes)


def test_every_deadline_of_every_service_is_looked_at() -> None:
    kinds = {deadline.kind for tasks in TASKS.values() for deadline in tasks.deadlines}
    assert set(DEADLINES) == kinds


# --- the command, the night, and what others see of it ------------------------------------------------------------


@contextmanager
def one_fen_too_much(town: str) -> Iterator[None]:
    """A committed running balance of the reserve fund that is not the sum of its lines; mended at the end."""
    with psycopg.connect(town.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        change = "UPDATE finance.balances SET balance_fen = balance_fen + %s WHERE account = 'reserve_fund'"
        owner.execute(change, (1,))
        try:
            yield
        finally:
            owner.execute(change, (-1,))


def bianmin_verify(town: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bianmin", "verify", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "BIANMIN_DATABASE_URL": town},
        check=False,
        timeout=120,
    )


def test_the_command_ends_with_0_or_with_the_code_of_what_is_violated(town: str) -> None:
    clean = bianmin_verify(town, "--settled")
    assert (clean.returncode, clean.stdout.count("✗")) == (0, 0), clean.stdout + clean.stderr
    with one_fen_too_much(town):
        tampered, told = bianmin_verify(town), bianmin_verify(town, "--json")
    assert tampered.returncode == told.returncode == 98
    assert "✗ 98 balances_are_the_sums_of_lines: 1 against: every running balance" in tampered.stdout
    assert "reserve_fund of" in tampered.stdout
    (violated,) = json.loads(told.stdout)["violated"]
    assert (violated["code"], violated["invariant"], violated["count"]) == (98, "balances_are_the_sums_of_lines", 1)


def test_wrong_use_of_the_command_ends_with_2(town: str, tmp_path: Path) -> None:
    assert bianmin_verify(town, "--if-due", "--settled").returncode == 2
    nowhere = {name: value for name, value in os.environ.items() if not name.startswith("BIANMIN_")}
    argv = [sys.executable, "-m", "bianmin.verify", "--data", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, env=nowhere, check=False)
    assert (done.returncode, "nothing runs in" in done.stderr) == (2, True)


def test_more_than_twenty_rows_are_counted_and_twenty_are_named(owner: psycopg.Connection) -> None:
    report = seen_after(owner, "DELETE FROM finance.inbox")
    (found,) = report.violated
    assert found.invariant.name == "acknowledged_messages_are_held"
    assert (found.count > 20, len(found.shown)) == (True, 20)


def test_the_verifier_reads_everything_and_changes_nothing(town: str) -> None:
    tables = "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY(%s)"
    schemas = [*db.SERVICES, "installation"]
    added_to = {"installation.verifications", "installation.audit_anchors"}  # its own findings, and the audit's heads
    with connected(town) as connection:
        found = [str(table) for (table,) in connection.execute(tables, (schemas,)).fetchall()]
        assert len(found) > 60
        for table in found:
            connection.execute(f"SELECT FROM {table} LIMIT 1")
            for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
                query = "SELECT has_table_privilege('bianmin_verifier', %s, %s)"
                ((may,),) = connection.execute(query, (table, privilege)).fetchall()
                assert may == (table in added_to and privilege == "INSERT"), (table, privilege)
        for schema in schemas:
            query = "SELECT has_schema_privilege('bianmin_verifier', %s, 'CREATE')"
            assert connection.execute(query, (schema,)).fetchall() == [(False,)]


def test_services_read_what_was_verified_and_write_none_of_it(town: str) -> None:
    with db.database("finance", db.WORKER).session() as session:
        assert session.execute(text("SELECT count(*) FROM verifications")).scalar_one() >= 0
        query = text("SELECT has_table_privilege(current_user, 'installation.verifications', :privilege)")
        for privilege in ("INSERT", "UPDATE", "DELETE"):
            assert session.execute(query, {"privilege": privilege}).scalar_one() is False


@pytest.fixture
def never_verified(town: str) -> Iterator[None]:
    with psycopg.connect(town.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("DELETE FROM installation.verifications")
        yield
        owner.execute("DELETE FROM installation.verifications")


def test_of_many_who_ask_at_once_one_verifies_and_no_other_until_the_next_night(
    town: str, never_verified: None
) -> None:
    together = threading.Barrier(6)

    def ask() -> Report | None:
        with connected(town) as connection:
            together.wait(30)
            return run_if_due(connection)

    with ThreadPoolExecutor(6) as pool:
        reports = list(pool.map(lambda _: ask(), range(6)))
    assert sum(report is not None for report in reports) == 1
    with connected(town) as connection:
        assert run_if_due(connection) is None
        runs = connection.execute("SELECT count(*), count(DISTINCT invariant) FROM installation.verifications")
        lasting = sum(not invariant.settled for invariant in INVARIANTS)
        assert runs.fetchall() == [(lasting, lasting)]


@pytest.mark.parametrize(
    ("verified", "now", "due"),
    [
        ("2026-04-30T18:59:59Z", "2026-04-30T19:00:00Z", True),  # 02:59:59 and 03:00 of 1 May in Shanghai
        ("2026-04-30T19:00:00Z", "2026-05-01T18:59:59Z", False),
        ("2026-04-30T19:00:00Z", "2026-05-01T19:00:00Z", True),
        ("2026-04-30T19:00:00Z", "2026-06-30T03:00:00Z", True),  # a simulation's clock jumped: once is enough
    ],
)
def test_a_night_is_over_at_three_in_shanghai(owner: psycopg.Connection, verified: str, now: str, due: bool) -> None:
    owner.execute("DELETE FROM installation.verifications")
    owner.execute(
        "INSERT INTO installation.verifications (at, seconds, invariant, violations) VALUES (%s, 1, 'any', 0)",
        (verified,),
    )
    owner.execute("UPDATE installation.clock SET simulated_at = %s, running = false", (now,))
    assert owner.execute(DUE).fetchall() == [(due,)]


def test_metrics_tell_bus_deadlines_and_violations_in_prometheus_format(
    town: str, lived: LivedTown, never_verified: None
) -> None:
    def scrape(service: str) -> dict[tuple[str, ...], float]:
        answer = lived.client.raw(lived.cast.operator, f"/{service}/ops/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    before = scrape("finance")
    assert before["bianmin_outbox_unacknowledged_messages", "hr", "finance"] == 0
    assert before["bianmin_messages_published_total", "finance"] > 20
    assert before["bianmin_deadlines_open", "month_close", "finance"] == 1
    assert ("bianmin_verification_age_seconds",) not in before, "never verified is not verified just now"
    with one_fen_too_much(town), connected(town) as connection:
        assert run_if_due(connection) is not None
    after = scrape("hr")
    assert after["bianmin_invariant_violations", "balances_are_the_sums_of_lines"] == 1
    assert after["bianmin_invariant_violations", "journals_balance"] == 0
    assert after["bianmin_verification_age_seconds",] >= 0
    refused = lived.client.raw(lived.cast.hr, "/hr/ops/metrics")
    assert refused.status_code == 403


def test_the_stack_verifies_by_a_child_that_logs_a_violation_and_stops_nothing(
    town: str, never_verified: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIANMIN_DATABASE_URL", town)
    stack = Stack(tmp_path)
    stack.verifier = stack.make_verifier({})
    stack.watch()
    assert not stack.verifier.alive, "not so soon after the start"
    stack.verify_at = 0
    with one_fen_too_much(town):
        stack.watch()
        wait_until("the verifier to end", lambda: stack.verifier is not None and not stack.verifier.alive, seconds=60)
    events = [json.loads(line) for line in (tmp_path / "logs" / "verify.log").read_text().splitlines()]
    assert [(e["level"], e["event"], e.get("invariant")) for e in events] == [
        ("error", "invariant_violated", "balances_are_the_sums_of_lines"),
        ("info", "verified", None),
    ]
