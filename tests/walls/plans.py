"""How PostgreSQL answers a statement behind the walls: how many rows of which tables it looks at."""

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from tests.shared.test_schema import nodes
from tests.walls.lives import in_life
from tests.walls.statements import Asked

CHANGES = re.compile(r"\b(INSERT INTO|UPDATE \w+ (SET|\w+ SET)|DELETE FROM)\b")


def asked_in_life(asked: Asked, n: int, staying: set[str]) -> Asked:
    """The same, asked by the people of life `n` about what is of it."""
    return replace(asked, values=in_life(asked.values, n, staying), sites=in_life(asked.sites, n, staying))


def rows_looked_at(connection: Connection, asked: Asked) -> Counter[str]:
    """Table -> rows looked at, whether they were wanted or not; of what changes something as planned, else as done.

    Sequential scans are off: where there is one nevertheless, no index can be used, and the whole table counts. So a
    table that is not yet large is read as it will be.
    """
    connection.exec_driver_sql("SELECT set_config('app.sites', %s, true)", (asked.sites,))
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    changes = CHANGES.search(asked.statement) is not None
    how = "FORMAT JSON" if changes else "ANALYZE, TIMING off, FORMAT JSON"
    (plan,) = connection.exec_driver_sql(f"EXPLAIN ({how}) {asked.statement}", asked.values).scalar_one()
    looked_at: Counter[str] = Counter()
    for node in nodes(plan["Plan"]):
        if "Relation Name" in node:
            looked_at[node["Relation Name"]] += _rows(node, planned=changes)
    return looked_at


def _rows(node: dict[str, Any], *, planned: bool) -> int:
    if planned:
        return 0 if node["Node Type"] == "ModifyTable" else int(node["Plan Rows"])
    thrown_away = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + thrown_away) * node["Actual Loops"])
