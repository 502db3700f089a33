"""`month`: the bundled 500 requests, lived and audited."""

from time import perf_counter

from sqlalchemy import text

from bianmin.cli import MONTH_BEGINS
from bianmin.stack import SERVICES
from tests.bench.figure import Figure, fresh_stack, owner_of

SECONDS = 120

COSTS = text("""
    SELECT orders, tables / 1000.0 / orders AS tables,
           pg_wal_lsn_diff(pg_current_wal_lsn(), CAST(:before AS pg_lsn)) / 1000.0 / orders AS log,
           CAST(audited AS float8) / orders AS audited, CAST(journals AS float8) / orders AS journals
    FROM (SELECT count(*) AS orders FROM dispatch.work_orders),
         (SELECT sum(pg_total_relation_size(oid)) AS tables FROM pg_class
          WHERE relkind = 'r' AND CAST(CAST(relnamespace AS regnamespace) AS text) = ANY(:services)),
         (SELECT sum(n) AS audited FROM (
             SELECT count(*) AS n FROM intake.audit_log UNION ALL SELECT count(*) FROM dispatch.audit_log
             UNION ALL SELECT count(*) FROM finance.audit_log UNION ALL SELECT count(*) FROM hr.audit_log)),
         (SELECT count(*) AS journals FROM finance.journals)
""")
"""What a work order costs of disk (kB) and rows; where the log stood before the month is told."""


def measure() -> list[Figure]:
    """Wall time of the command `bianmin month` in a fresh simulation, from its start to its exit.

    Messages are outbox rows, one for each receiver; HTTP calls are counted in the web process's log. What a work order
    leaves on disk is asked of the database at the end, with all that was refused and cancelled in it.
    """
    with fresh_stack("--simulate", MONTH_BEGINS) as stack, owner_of(stack) as owner:
        before = owner.execute(text("SELECT pg_current_wal_lsn()")).scalar_one()
        began = perf_counter()
        done = stack.bianmin("month", "--results", str(stack.data / "results"))
        seconds = perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"the month was not lived:\n{done.stdout}{done.stderr}")
        calls = (stack.data / "logs" / "web.log").read_text(encoding="utf-8").count('"http_request"')
        operator = stack.people()["operator"]
        with stack.client() as client:
            messages = sum(client.get(operator, f"/{name}/ops/bus")["published"] for name in SERVICES)
        costs = owner.execute(COSTS, {"before": before, "services": list(SERVICES)}).one()
    return [
        Figure("month", seconds, "s", SECONDS),
        Figure("month: messages", messages, ""),
        Figure("month: messages handled", messages / seconds, "/s"),
        Figure("month: HTTP calls", calls, ""),
        Figure("month: HTTP calls served", calls / seconds, "/s"),
        Figure("month: work orders", costs.orders, ""),
        Figure("a work order: tables and indexes", float(costs.tables), "kB"),
        Figure("a work order: the database's log", float(costs.log), "kB"),
        Figure("a work order: rows of audit logs", costs.audited, ""),
        Figure("a work order: messages", messages / costs.orders, ""),
        Figure("a work order: journals", costs.journals, ""),
    ]
