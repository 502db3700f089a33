"""The database as migrated is the database as modelled, and every sweep finds its rows by an index."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, NullPool, Select, create_engine, exists, select, text
from sqlalchemy.dialects.postgresql import psycopg

from shared.db import SERVICES
from shared.migrations import is_ours
from shared.ops import count_open
from shared.tasks import Deadline
from tests.conftest import START

DEADLINES: list[Deadline] = [
    deadline for service in SERVICES for deadline in import_module(f"services.{service}.tasks").tasks.deadlines
]


@pytest.fixture
def owner(template: str) -> Iterator[Connection]:
    with create_engine(template, poolclass=NullPool).connect() as connection:
        yield connection


def metadata_of(service: str) -> MetaData:
    metadata: MetaData = import_module(f"services.{service}.models").Base.metadata
    return metadata


@pytest.mark.parametrize("service", SERVICES)
def test_a_migrated_schema_has_the_tables_columns_and_indexes_of_the_models(owner: Connection, service: str) -> None:
    owner.execute(text(f"SET search_path = {service}, installation"))
    options = {"include_name": is_ours, "compare_type": True, "compare_server_default": True}
    assert compare_metadata(MigrationContext.configure(owner, opts=options), metadata_of(service)) == []


_DEFINITIONS = text("""
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = CAST(CAST(:schema AS text) AS regnamespace) AND contype <> 't'
    UNION ALL
    SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = CAST(:schema AS text)
    UNION ALL
    SELECT relname || ': ' || obj_description(oid) FROM pg_class
    WHERE relnamespace = CAST(CAST(:schema AS text) AS regnamespace) AND obj_description(oid) IS NOT NULL
""")


def definitions(owner: Connection, service: str, schema: str) -> set[str]:
    """Every constraint, index and comment of a schema of the service's tables, written out."""
    owner.execute(text(f"SET LOCAL search_path = {schema}, {service}"))
    found = owner.execute(_DEFINITIONS, {"schema": schema}).scalars()
    return {line for line in found if "alembic_version" not in line}


@pytest.mark.parametrize("service", SERVICES)
def test_a_migrated_schema_has_every_constraint_and_condition_of_the_models(owner: Connection, service: str) -> None:
    migrated = definitions(owner, service, service)
    # behind the modelled tables stand the migrated functions that their conditions call
    owner.execute(text(f"CREATE SCHEMA modelled; SET LOCAL search_path = modelled, {service}"))
    metadata_of(service).create_all(owner, checkfirst=False)
    assert definitions(owner, service, "modelled") == migrated


_INDEX = text("""
    SELECT pg_get_indexdef(indexrelid, 1, true), indpred IS NOT NULL FROM pg_index
    WHERE indexrelid = CAST(:name AS regclass)
""")


def index_read(owner: Connection, query: Select[Any]) -> tuple[str, bool]:
    """The first column of the one index that a plan good for any moment reads, and whether it is a partial one."""
    compiled = query.compile(dialect=psycopg.dialect(), compile_kwargs={"render_postcompile": True})
    sql = str(compiled) % {name: f"${number}" for number, name in enumerate(compiled.params, start=1)}
    (plan,) = owner.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {sql}").scalar_one()
    assert not [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"]
    (name,) = {node["Index Name"] for node in nodes(plan["Plan"]) if "Index Name" in node}
    column, partial = owner.execute(_INDEX, {"name": name}).one()
    return column, partial


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


@pytest.mark.parametrize("deadline", DEADLINES, ids=lambda deadline: deadline.kind)
def test_whether_a_deadline_has_passed_is_asked_of_an_index_of_open_rows_alone(
    owner: Connection, deadline: Deadline
) -> None:
    service = deadline.due.class_.__module__.split(".")[1]
    owner.execute(text(f"SET search_path = {service}; SET enable_seqscan = off; SET enable_bitmapscan = off"))
    by_its_moment = (deadline.due.key, True)
    assert index_read(owner, select(exists().where(deadline.passed(START)))) == by_its_moment
    assert index_read(owner, deadline.claim(deadline.due, now=START)) == by_its_moment
    _, open_rows_alone = index_read(owner, count_open(deadline, START))
    assert open_rows_alone


BUS = {
    *("alembic_version", "inbox", "outbox", "unreadable", "idempotency_keys"),
    *("workers", "tick_runs", "operator_acts"),
}
"""A row of these is one message's, one process's, or one person's answer to a key of his own."""
SIGNING_IN = {
    *("api_tokens", "ended_sessions", "invitations", "login_sessions", "logins", "recovery_codes"),
    *("sign_on_links", "used_sign_ons"),
    "factor_resets",
}
"""Who somebody is must be known before his sites are."""
NOT_WALLED = {
    "intake": BUS | {"api_tokens", "ended_sessions", "people", "price_items", "paper_counts"},
    "dispatch": BUS | {"api_tokens", "ended_sessions", "people", "certificates", "duty_days", "duty_checks"},
    "finance": BUS
    | {
        "api_tokens",
        "ended_sessions",
        "people",
        "price_items",
        "price_versions",
        "wages",
        "ledger_chain",
        "ledger_anchors",
        "unsealed_journals",
    },
    "hr": BUS | SIGNING_IN | {"people", "posts", "wages", "company", "paper_counts", "ledger_anchors"},
}
"""Tables of the whole company, or of a person who may work at several sites (walls.py says why)."""

_POLICIES = text("""
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS on_for_the_owner_too, p.polname, p.polcmd,
           p.polroles = '{0}' AS for_all, pg_get_expr(p.polqual, c.oid) AS condition, p.polwithcheck IS NULL AS one
    FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.relnamespace = CAST(CAST(:service AS text) AS regnamespace) AND c.relkind IN ('r', 'p')
""")


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_has_a_wall_between_sites_or_is_known_to_need_none(owner: Connection, service: str) -> None:
    owner.execute(text(f"SET search_path = {service}, installation"))
    policies = owner.execute(_POLICIES, {"service": service}).all()
    walled = {row.relname for row in policies if row.polname}
    assert {row.relname for row in policies} - walled == NOT_WALLED[service]
    tables = metadata_of(service).tables
    assert {name for name, table in tables.items() if "site_id" in table.columns} <= walled
    for row in policies:
        if row.relname in walled:
            assert row.on_for_the_owner_too, row.relname
            assert (row.polname, row.polcmd, row.for_all, row.one) == ("sites", "*", True, True), row.relname
            assert row.condition.startswith("(( SELECT acts_everywhere() AS acts_everywhere) OR "), row.condition


@pytest.mark.parametrize("service", SERVICES)
def test_no_view_looks_over_the_wall(owner: Connection, service: str) -> None:
    views = text("""
        SELECT relname FROM pg_class WHERE relkind IN ('v', 'm')
          AND relnamespace = CAST(CAST(:service AS text) AS regnamespace)
          AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)
    """)
    assert owner.execute(views, {"service": service}).all() == []
