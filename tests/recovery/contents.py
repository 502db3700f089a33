"""All that an installation's database holds, so that two can be compared."""

from typing import Any

from sqlalchemy import Connection, text

from shared.db import SERVICES
from tests.recovery.cluster import Cluster

_SCHEMAS = ", ".join(f"'{schema}'" for schema in (*SERVICES, "installation"))

_PARTS = {
    "triggers": f"""
        SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND c.relnamespace::regnamespace::text IN ({_SCHEMAS})
    """,
    "grants": f"""
        SELECT c.oid::regclass::text, relkind, pg_get_userbyid(relowner), relrowsecurity, relforcerowsecurity,
            ARRAY(SELECT unnest(relacl)::text ORDER BY 1)::text, obj_description(c.oid)
        FROM pg_class c WHERE relnamespace::regnamespace::text IN ({_SCHEMAS})
    """,
    "schemas": f"""
        SELECT nspname, ARRAY(SELECT unnest(nspacl)::text ORDER BY 1)::text
        FROM pg_namespace WHERE nspname IN ({_SCHEMAS})
    """,
    "functions": f"""
        SELECT oid::regprocedure::text, proacl::text, prosecdef, md5(pg_get_functiondef(oid))
        FROM pg_proc WHERE pronamespace::regnamespace::text IN ({_SCHEMAS}) AND prokind = 'f'
    """,
    "constraints": f"""
        SELECT conrelid::regclass::text, conname, contype, convalidated  -- the text of a CHECK is written anew
        FROM pg_constraint WHERE connamespace::regnamespace::text IN ({_SCHEMAS})
    """,
    "policies": f"""
        SELECT schemaname, tablename, policyname, cmd, roles::text, qual, with_check
        FROM pg_policies WHERE schemaname IN ({_SCHEMAS})
    """,
    "sequences": f"SELECT schemaname, sequencename, last_value FROM pg_sequences WHERE schemaname IN ({_SCHEMAS})",
    "roles": """
        SELECT r.rolname, r.rolsuper, r.rolcanlogin,
            ARRAY(SELECT m.member::regrole::text FROM pg_auth_members m WHERE m.roleid = r.oid ORDER BY 1)::text
        FROM pg_roles r WHERE r.rolname LIKE 'bianmin%'
    """,
}

_TABLES = f"""
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ({_SCHEMAS}) ORDER BY 1
"""


def catalogue(connection: Connection) -> dict[str, list[str]]:
    """What each part of the catalogue says."""
    return {part: sorted(map(str, connection.execute(text(query)))) for part, query in _PARTS.items()}


def contents(cluster: Cluster, database: str = "bianmin") -> dict[str, Any]:
    """What each part of the catalogue says, and of each table the number and the MD5 of its rows."""
    with cluster.engine(database).connect() as connection:
        found: dict[str, Any] = catalogue(connection)
        tables = connection.execute(text(_TABLES)).scalars().all()
        return found | {table: _rows(connection, table) for table in tables}


def _rows(connection: Connection, table: str) -> tuple[int, str]:
    query = f"SELECT count(*), coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {table} t"
    count, digest = connection.execute(text(query)).one()
    return count, digest
