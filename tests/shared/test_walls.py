"""What a stolen login of a service reaches in the database: its own schema, and there what it acts for [18, 19]."""

from collections.abc import Callable, Iterator
from datetime import time
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from bianmin.verify.run import ROLE, connected
from shared.db import SERVICES, WEB, WORKER, Database, login, role_of
from shared.ids import new_id
from shared.installation import VERIFIER, prepare
from shared.messages import SiteChanged
from shared.people import identify, site_changed
from shared.walls import across_sites
from tests.conftest import START
from tests.people import ZONE, employ

LOGINS = [*map(role_of, SERVICES), VERIFIER]


@pytest.fixture
def logged_in(template: str) -> Iterator[Callable[[str], Connection]]:
    """A connection as a login alone, as whoever has stolen it would make one."""
    opened: list[Connection] = []

    def log_in(role: str) -> Connection:
        engine = create_engine(login(template, role), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        opened.append(engine.connect())
        return opened[-1]

    yield log_in
    for connection in opened:
        connection.close()


def refusal(connection: Connection, sql: str) -> str:
    """The words with which the database refuses."""
    with pytest.raises(DBAPIError) as refused:
        connection.exec_driver_sql(sql)
    return str(refused.value.orig)


FOREIGN_FUNCTION = {
    "intake": "intake.refuse_change()",
    "dispatch": "dispatch.refuse_change()",
    "finance": "finance.journal_text(NULL)",
    "hr": "hr.refuse_change()",
}


@pytest.mark.parametrize("other", SERVICES)
@pytest.mark.parametrize("service", SERVICES)
def test_a_services_login_can_use_nothing_of_another_service(
    logged_in: Callable[[str], Connection], service: str, other: str
) -> None:
    connection = logged_in(role_of(service))
    if service == other:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {other}.sites").scalar_one() == 0
        return
    for sql in (
        f"SELECT * FROM {other}.people",
        f"INSERT INTO {other}.sites (id) VALUES (gen_random_uuid())",
        f"UPDATE {other}.people SET active = false",
        f"DELETE FROM {other}.outbox",
        f"SELECT {FOREIGN_FUNCTION[other]}",
        f"SELECT nextval('{other}.outbox_sequence_seq')",
    ):
        assert f"permission denied for schema {other}" in refusal(connection, sql)


@pytest.mark.parametrize("role", LOGINS)
def test_no_login_becomes_another_role_makes_anything_or_leaves_its_database(
    logged_in: Callable[[str], Connection], template: str, role: str
) -> None:
    connection = logged_in(role)
    owner = make_url(template).username
    for other in {str(owner), "pg_read_all_data", *LOGINS} - {role}:
        assert "permission denied to set role" in refusal(connection, f"SET ROLE {other}")
        assert "permission denied to set session authorization" in refusal(
            connection, f"SET SESSION AUTHORIZATION {other}"
        )
    connection.exec_driver_sql("SET ROLE NONE; RESET ROLE; RESET SESSION AUTHORIZATION")
    assert connection.exec_driver_sql("SELECT session_user || current_user").scalar_one() == role * 2
    for sql in (
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "CREATE EXTENSION dblink",
        f"ALTER ROLE {role} BYPASSRLS",
        "ALTER TABLE intake.sites DISABLE ROW LEVEL SECURITY",
        "DROP POLICY sites ON intake.sites",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SET session_replication_role = replica",
    ):
        words = refusal(connection, sql)
        assert "permission denied" in words or "must be" in words, f"{sql}: {words}"
    for database in ("postgres", "template1"):
        with pytest.raises(OperationalError, match="permission denied for database"):
            create_engine(login(template, role).set(database=database), poolclass=NullPool).connect()


def test_the_logins_own_nothing_and_are_members_of_nothing(template: str) -> None:
    with create_engine(template, poolclass=NullPool).connect() as owner:
        asked = {"logins": LOGINS}
        members = text("SELECT count(*) FROM pg_auth_members WHERE member = ANY(CAST(:logins AS regrole[]))")
        owned = text(
            "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = ANY(CAST(:logins AS regrole[]))"
        )
        assert owner.execute(members, asked).scalar_one() == owner.execute(owned, asked).scalar_one() == 0
        flags = text("""
            SELECT bool_and(rolcanlogin), bool_or(rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)
            FROM pg_roles WHERE rolname = ANY(:logins)
        """)
        assert tuple(owner.execute(flags, asked).one()) == (True, False)


def test_the_verifier_reads_everything_and_writes_only_what_he_saw(template: str) -> None:
    with connected(template) as verifier:
        assert verifier.execute("SELECT session_user, count(*) FROM intake.people").fetchone() == (ROLE, 0)
        for sql in ("DELETE FROM finance.receipts", "UPDATE hr.sites SET name = 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                verifier.execute(sql)


def test_prepare_gives_a_login_its_password_and_takes_none_away(template: str) -> None:
    prepare(template, simulated_at=START.isoformat(), passwords={"bianmin_hr": "a secret of hr", "bianmin_intake": ""})
    prepare(template, simulated_at=START.isoformat())
    with create_engine(template, poolclass=NullPool).connect() as owner:
        kept = text("SELECT rolpassword LIKE 'SCRAM-SHA-256$4096:%' FROM pg_authid WHERE rolname = :role")
        assert owner.execute(kept, {"role": "bianmin_hr"}).scalar_one() is True
        assert owner.execute(kept, {"role": "bianmin_intake"}).scalar_one() is None


def test_a_url_of_another_user_becomes_the_services_own_and_its_own_stays() -> None:
    owners = "postgresql+psycopg://owner:its%40secret@db:5433/bianmin?sslmode=verify-full"
    assert (
        login(owners, "bianmin_hr", "p@ss").render_as_string(hide_password=False)
        == "postgresql+psycopg://bianmin_hr:p%40ss@db:5433/bianmin?sslmode=verify-full"
    )
    assert login(owners, "bianmin_hr").password is None, "the owner's password goes nowhere"
    own = "postgresql+psycopg://bianmin_hr:own@db/bianmin"
    assert login(own, "bianmin_hr", "other").render_as_string(hide_password=False) == own


# --- sites ------------------------------------------------------------------------------------------------------------

PUT = """
    INSERT INTO alerts (id, kind, site_id, subject_id, facts, raised_at)
    VALUES (gen_random_uuid(), 'x', CAST(:site AS uuid), gen_random_uuid(), '{}', now())
"""


@pytest.fixture
def sites(installation: str) -> tuple[UUID, UUID]:
    """Two sites with an alert each, in every service."""
    made = new_id(), new_id()
    for service in SERVICES:
        database = Database(service, installation, pool_size=1, limits=WORKER)
        with database.session() as session:
            for site, code in zip(made, ("BK", "ZJ"), strict=True):
                facts = SiteChanged(site_id=site, version=1, code=code, name=code, zone=ZONE, closing=time(18))
                site_changed(session, facts)
            for site in made:
                session.execute(text(PUT), {"site": site})
            employ(session, "head", "engineering", made[0], token="of the first")
            employ(session, "auditor", "administration", token="of all")
        database.engine.dispose()
    return made


@pytest.fixture
def one(installation: str) -> Iterator[Callable[[str], Database]]:
    """A service's database as its web process has it, with one connection in the pool."""
    made: list[Database] = []

    def connect(service: str) -> Database:
        made.append(Database(service, installation, pool_size=1, limits=WEB))
        return made[-1]

    yield connect
    for database in made:
        database.engine.dispose()


def seen(session: Session) -> set[UUID]:
    """The sites of the alerts, and the sites, that the transaction sees."""
    ids = set(session.scalars(text("SELECT id FROM sites")))
    assert set(session.scalars(text("SELECT site_id FROM alerts"))) == ids
    return ids


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_audit_log_says_of_people_and_of_no_site_is_seen_by_who_acts_for_every_site_alone(
    sites: tuple[UUID, UUID], one: Callable[[str], Database], service: str
) -> None:
    tables = text("SELECT table_name, site_id FROM audit_log GROUP BY 1, 2")
    for token, of_people in (("of the first", False), ("of all", True)):
        with one(service).session() as session:
            assert identify(session, token) is not None
            found = {tuple(row) for row in session.execute(tables)}
            assert (("alerts", sites[0]) in found, ("people", None) in found) == (True, of_people), token
            assert (("alerts", sites[1]) in found, ("sites", None) in found) == (of_people, of_people), token


@pytest.mark.parametrize("service", SERVICES)
def test_a_transaction_sees_the_sites_of_who_asks_and_the_next_on_its_connection_sees_nothing(
    one: Callable[[str], Database], sites: tuple[UUID, UUID], service: str
) -> None:
    database = one(service)
    for token, his in (("of the first", {sites[0]}), ("of all", set(sites)), ("nobody's", set())):
        with database.session() as session:
            assert seen(session) == set(), "before he is known"
            identify(session, token)
            assert seen(session) == his
        with database.session() as session:
            assert seen(session) == set(), "in the next transaction"
        with Session(database.engine) as session:
            identify(session, token)
            session.rollback()
        with database.session() as session:
            assert seen(session) == set(), "after one that was undone"


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_of_another_site_cannot_be_written(
    one: Callable[[str], Database], sites: tuple[UUID, UUID], service: str
) -> None:
    database, (here, there) = one(service), sites
    with database.session() as session:
        identify(session, "of the first")
        session.execute(text(PUT), {"site": here})
        for sql in (PUT, "UPDATE alerts SET site_id = :site", "UPDATE sites SET id = CAST(:site AS uuid)"):
            with pytest.raises(DBAPIError, match="row-level security"), session.begin_nested():
                session.execute(text(sql), {"site": there})
        touched = session.execute(text("DELETE FROM alerts WHERE site_id = :site RETURNING 1"), {"site": there})
        assert touched.all() == []
    with database.session() as session, pytest.raises(DBAPIError, match="row-level security"):
        session.execute(text(PUT), {"site": here})  # nobody has said who asks


def test_a_door_is_open_for_its_block_alone(one: Callable[[str], Database], sites: tuple[UUID, UUID]) -> None:
    with one("hr").session() as session:
        identify(session, "of the first")
        with across_sites(session):
            assert seen(session) == set(sites)
            with across_sites(session):
                assert seen(session) == set(sites)
            assert seen(session) == set(sites)
        assert seen(session) == {sites[0]}


def test_a_worker_acts_for_every_site(installation: str, sites: tuple[UUID, UUID]) -> None:
    database = Database("finance", installation, pool_size=1, limits=WORKER)
    with database.session() as session:
        assert seen(session) == set(sites)
        with across_sites(session):
            assert seen(session) == set(sites)
    with database.session() as session:
        assert seen(session) == set(sites)
    database.engine.dispose()
