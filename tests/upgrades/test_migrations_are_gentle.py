"""A migration runs while the version before it serves: it holds nobody up for long and takes away nothing that is read.

What is asked of each is what Squawk knows of PostgreSQL's locks: an index is made CONCURRENTLY, a constraint NOT VALID
and validated later, no table is rewritten, and nothing is dropped or renamed in the release that stops reading it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import op
from psycopg.errors import LockNotAvailable
from sqlalchemy import Column, Engine, NullPool, String, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bianmin.children import wait_until
from bianmin.engines import Engines
from shared import installation, migrations
from shared.db import SERVICES
from shared.installation import prepare
from tests.conftest import START
from tests.upgrades.revisions import since_first, sql_of

SQUAWK = Path(sys.executable).with_name("squawk")

NOT_ASKED = (
    *("require-lock-timeout", "require-statement-timeout"),  # `prepare` says it once for all: tested below
    *("prefer-robust-stmts", "prefer-text-field", "prefer-identity", "prefer-bigint-over-int"),  # taste
)


WAIVED = {
    (
        "0018_owners_links.py",
        "ban-drop-not-null",
    ): "the version before shows nobody beside what an owner signed himself",
}
"""(Migration, rule) -> why it may break it."""


def complaints(sql: str, folder: Path) -> list[str]:
    """The rules of Squawk that a migration breaks, each with its line."""
    file = folder / "migration.sql"
    file.write_text(sql, encoding="utf-8")
    asked = [str(SQUAWK), "--reporter", "json", "--pg-version", "16", f"--exclude={','.join(NOT_ASKED)}", str(file)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout or "[]")
    assert done.returncode == bool(found), done.stderr
    lines = sql.splitlines()
    told = [(one["rule_name"], lines[one["line"]]) for one in found]
    return [f"{rule}: {line}" for rule, line in told if not (rule == "ban-drop-constraint" and made_anew(line))]


def made_anew(line: str) -> bool:
    """Whether the constraint that is dropped is there again when the statement ends."""
    return bool(re.search(r"DROP CONSTRAINT IF EXISTS (\w+), ADD CONSTRAINT \1 ", line))


@pytest.mark.parametrize("service", SERVICES)
def test_no_migration_since_the_first_version_holds_up_or_breaks_the_version_before_it(
    service: str, tmp_path: Path
) -> None:
    for name, sql in since_first(service):
        found = [told for told in complaints(sql, tmp_path) if (name, told.partition(":")[0]) not in WAIVED]
        assert found == [], name


@pytest.mark.parametrize(
    ("rough", "rule"),
    [
        (lambda: op.create_index("ix_requests_x", "requests", ["x"]), "require-concurrent-index-creation"),
        (lambda: op.drop_index("ix_requests_x", "requests"), "require-concurrent-index-deletion"),
        (lambda: op.create_check_constraint("x", "requests", "x > 0"), "constraint-missing-not-valid"),
        (lambda: op.create_foreign_key("x", "requests", "homes", ["x"], ["id"]), "adding-foreign-key-constraint"),
        (lambda: op.create_unique_constraint("x", "requests", ["x"]), "disallowed-unique-constraint"),
        (lambda: op.alter_column("requests", "x", nullable=False), "adding-not-nullable-field"),
        (lambda: op.alter_column("requests", "x", type_=String(9)), "changing-column-type"),
        (lambda: op.alter_column("requests", "x", new_column_name="y"), "renaming-column"),
        (lambda: op.rename_table("requests", "calls"), "renaming-table"),
        (lambda: op.drop_column("requests", "x"), "ban-drop-column"),
        (lambda: op.drop_table("requests"), "ban-drop-table"),
        (
            lambda: op.add_column(
                "requests", Column("x", String, server_default=text("CAST(gen_random_uuid() AS text)"), nullable=True)
            ),
            "adding-field-with-default",
        ),
    ],
)
def test_what_blocks_or_breaks_is_refused(rough: Callable[[], None], rule: str, tmp_path: Path) -> None:
    assert rule in {complaint.partition(":")[0] for complaint in complaints(sql_of(rough), tmp_path)}


def test_what_the_helpers_of_migrations_do_is_gentle(tmp_path: Path) -> None:
    def gentle() -> None:
        migrations.index("ix_requests_x", "requests", ["x"], where="x IS NOT NULL", include=["y"], unique=True)
        migrations.check("ck_requests_x", "requests", "x > 0")

    assert complaints(sql_of(gentle), tmp_path) == []


# --- on a real database -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_database(engines: Engines) -> Iterator[Engine]:
    """An empty database of its own, as its owner."""
    server = create_engine(
        make_url(engines.database_url).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE gentle"))
    yield create_engine(make_url(engines.database_url).set(database="gentle"), poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE gentle WITH (FORCE)"))


def migrate(engine: Engine) -> None:
    prepare(engine.url.render_as_string(hide_password=False), simulated_at=START.isoformat())


def test_two_who_prepare_at_once_do_not_wait_for_each_others_indexes(own_database: Engine) -> None:
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(migrate, own_database) for _ in range(2)]:
            done.result()
    with own_database.connect() as connection:
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(text(invalid)).scalar() == 0


def test_a_migration_whose_table_is_in_use_gives_way_to_everybody_and_comes_again(
    own_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[OperationalError] = []
    step = installation._migrate

    def watched(owner: Engine, service: str) -> None:
        try:
            step(owner, service)
        except OperationalError as error:
            refused.append(error)
            raise

    monkeypatch.setattr(installation, "_migrate", watched)
    with own_database.begin() as connection:
        connection.execute(text("UPDATE hr.alembic_version SET version_num = '0020'"))
    with ThreadPoolExecutor(1) as other, own_database.connect() as long_report:
        long_report.execute(text("SELECT count(*) FROM hr.logins"))
        migrating = other.submit(migrate, own_database)
        wait_until("the migration to give way twice", lambda: len(refused) > 1 or migrating.done(), seconds=60)
        with own_database.begin() as connection:  # the version before goes on, reading and writing
            connection.execute(text("SET LOCAL statement_timeout = '20s'"))
            connection.execute(text("UPDATE hr.logins SET language = NULL"))
        assert not migrating.done()
        long_report.rollback()
        migrating.result(timeout=60)
    assert {type(error.orig) for error in refused} == {LockNotAvailable}
    with own_database.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM hr.alembic_version")).scalar() >= "0021"
