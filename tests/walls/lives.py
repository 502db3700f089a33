"""A lived month many times over, by SQL: twenty sites, two years, as many rows of each table as one likes.

Each life is a copy of every row under ids of its own. It is lived at one of ten copies of each site, by the people
of that copy, in one of 24 months; its ids are in the order of the months. The month that was really lived is the
newest by its ids, and is all its two sites have: a site opened lately, in a company that is old.
"""

import re
from datetime import date, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shared.db import SERVICES

MONTHS, COPIES = 24, 10
"""A life is lived in one of so many months, at one of so many copies of its site."""

STAYING = """
    CREATE TABLE public.staying AS SELECT id FROM hr.sites UNION SELECT id FROM hr.people;
    ANALYZE public.staying
"""
"""People and sites, who are there again in many lives."""

_COLUMNS = text("""
    SELECT a.attname, CAST(a.atttypid AS regtype)::text AS type,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY(i.indkey)
                   AND NOT EXISTS (SELECT FROM pg_attribute k WHERE k.attrelid = a.attrelid
                                   AND k.attnum = ANY(i.indkey) AND k.atttypid = 'uuid'::regtype)) AS alone
    FROM pg_attribute a
    WHERE a.attrelid = CAST(CAST(:table AS text) AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated = ''
    ORDER BY a.attnum
""")

_TABLES = text("""
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(:services) AND c.relkind = 'r' AND c.relname <> ALL(:once)
    ORDER BY 1
""")

ONCE = ["alembic_version", "company", "policies", "price_items", "price_versions"]
"""What a company has one of, or few of however long it lives."""


def _again(name: str, kind: str, *, alone: bool) -> str:
    """SQL: the column in life `n`."""
    month = f"(n % {MONTHS})"
    if kind == "uuid":
        other = f"lpad(to_hex({month} * 1000000 + n / {MONTHS}), 12, '0') || substr(md5({name}::text || n), 13)"
        stays = f"md5({name}::text || n / {MONTHS} % {COPIES})"
        return f"(CASE WHEN {name} IN (SELECT id FROM public.staying) THEN {stays} ELSE {other} END)::uuid"
    if kind == "uuid[]":
        return f"ARRAY(SELECT {_again('one', 'uuid', alone=False)} FROM unnest({name}) AS one)"
    if kind in {"date", "timestamp with time zone"}:
        return f"({name} + {month} * interval '30 days')::{kind}"
    if name.endswith('month"'):
        return f"to_char(({name} || '-01')::date + {month} * interval '1 month', 'YYYY-MM')"
    if alone and kind in {"text", "character varying"}:
        return f"{name} || '-' || n"
    if alone and kind in {"bigint", "integer"}:
        return f"{name} + n::bigint * 100000"
    return name


def live_again(owner: Connection, rows: int) -> None:
    """Lives until the largest tables have so many rows; below every trigger, in the owner's transaction."""
    owner.execute(text(STAYING))
    owner.execute(text("SET LOCAL session_replication_role = replica"))
    tables = owner.execute(_TABLES, {"services": list(SERVICES), "once": ONCE}).scalars().all()
    held = {table: owner.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}
    lives = rows // held["intake.requests"]
    for table, there in held.items():
        columns = owner.execute(_COLUMNS, {"table": table}).all()
        names = ", ".join(f'"{column.attname}"' for column in columns)
        values = ", ".join(_again(f't."{c.attname}"', c.type, alone=c.alone) for c in columns)
        owner.execute(
            text(f"""INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values}
                     FROM generate_series(1, {min(lives, rows // max(there, 1))}) AS n CROSS JOIN {table} t
                     ORDER BY n % {MONTHS}, n ON CONFLICT DO NOTHING""")
        )
    owner.execute(text("SET LOCAL session_replication_role = origin"))


# --- what was asked, asked again -------------------------------------------------------------------------------------

UUID_WORDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MONTH_WORDS = re.compile(r"(\d{4})-(\d\d)")


def in_life(value: Any, n: int, staying: set[str]) -> Any:
    """A value as it is in that life: what SQL made of it above."""
    month = n % MONTHS
    if isinstance(value, dict):
        return {key: in_life(part, n, staying) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(in_life(part, n, staying) for part in value)
    if isinstance(value, UUID):
        return UUID(in_life(str(value), n, staying))
    if isinstance(value, datetime | date):
        return value + timedelta(days=30 * month)
    if isinstance(value, str) and "," in value:
        return ",".join(in_life(part, n, staying) for part in value.split(","))
    if isinstance(value, str) and UUID_WORDS.fullmatch(value):
        if value in staying:
            return str(UUID(_md5(f"{value}{n // MONTHS % COPIES}")))
        return str(UUID(f"{month * 1000000 + n // MONTHS:012x}" + _md5(f"{value}{n}")[12:]))
    if isinstance(value, str) and (found := MONTH_WORDS.fullmatch(value)):
        months = int(found[1]) * 12 + int(found[2]) - 1 + month
        return f"{months // 12}-{months % 12 + 1:02}"
    return value


def _md5(words: str) -> str:
    return md5(words.encode(), usedforsecurity=False).hexdigest()
