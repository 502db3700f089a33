"""What an invariant is, and how one is looked at."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

SHOWN = 20
"""Violating rows that are named; all are counted."""


@dataclass(frozen=True)
class Invariant:
    """Something that must hold of all rows, whatever happened.

    `query` returns a row for each violation, with its sentence in the column `what`. `code` is the exit code of
    `bianmin verify`, the same for ever. `settled` ones hold only when nothing is under way any more.
    """

    code: int
    name: str
    must: str
    query: str
    settled: bool = False


@dataclass(frozen=True)
class Violations:
    """An invariant that does not hold: how many rows, and what is wrong with the first of them."""

    invariant: Invariant
    count: int
    shown: list[str]


def look(connection: psycopg.Connection, invariant: Invariant) -> Violations | None:
    """The violations of an invariant; None when it holds."""
    counted = sql.SQL("SELECT count(*) OVER (), what FROM ({}) violated (what) LIMIT {}")
    query = counted.format(sql.SQL(invariant.query), sql.Literal(SHOWN))
    rows = connection.execute(query).fetchall()
    return Violations(invariant, int(rows[0][0]), [str(what) for _, what in rows]) if rows else None
