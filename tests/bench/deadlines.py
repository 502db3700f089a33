"""`deadlines`: how late a promise is acted on when ten thousand pass within a minute and a worker is killed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import sleep

from sqlalchemy import text

from bianmin.address import Address
from bianmin.children import Child, wait_until
from bianmin.engines import Engines
from tests.bench.figure import Figure, await_acknowledged, found_company, owner_of, percentile, stamped_stack
from tests.stack import RunningStack

DEADLINES = 10_000
WITHIN_SECONDS = 60
LEAD_SECONDS = 10
"""From the promises to the first deadline: time enough to write them all."""
P99_SECONDS = 2
LONGEST_SECONDS = 15

# the owners were warned of already, so that each request has one deadline left
_PROMISE = text("""
    INSERT INTO intake.requests (
        id, number, site_id, state, channel, trade, department, owner_name, address, description, windows,
        recorded_by, recorded_at, month, warn_due_at, warned_at, callback_due_at, callback_missed)
    SELECT gen_random_uuid(), 'Q' || n, :site_id, 'recorded', 'phone', 'water', 'engineering', '业主', '1-101',
        '漏水', '[]', :clerk_id, began, '2026-04', due, began, due, false
    FROM (SELECT clock_timestamp() AS began) AS moment, generate_series(0, :howmany - 1) AS n,
        LATERAL (SELECT began + make_interval(secs => :lead + n * :within / :howmany)) AS promise (due)
""")

_OVER = text("SELECT count(*) FROM intake.requests WHERE callback_ended_at IS NULL")

_LATENESS = text("""
    SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - callback_due_at) FROM intake.requests
    WHERE callback_ended_at IS NOT NULL
""")

_WRONG = text("""
    SELECT
        count(*) FILTER (WHERE callback_ended_at <= callback_due_at) AS early,
        count(*) FILTER (WHERE said.times > 1 OR told.times > 2) AS twice,
        count(*) FILTER (WHERE NOT callback_missed OR said.times IS NULL OR told.times IS DISTINCT FROM 2
                               OR heard.request_id IS NULL) AS lost
    FROM intake.requests
    LEFT JOIN (SELECT CAST(body->>'request_id' AS uuid) AS id, count(*) AS times
               FROM intake.outbox WHERE type = 'CallbackMissed' GROUP BY 1) said USING (id)
    LEFT JOIN (SELECT subject_id AS id, count(*) AS times
               FROM intake.alerts WHERE kind = 'callback_missed' GROUP BY 1) told USING (id)
    LEFT JOIN hr.missed_callbacks heard ON heard.request_id = requests.id
""")


def measure(howmany: int = DEADLINES, within: int = WITHIN_SECONDS) -> list[Figure]:
    """From the moment a callback was promised for to the commit that records it as missed, by PostgreSQL's clock.

    The requests are written beforehand, their deadlines evenly spread over a minute, on an installation whose clock is
    the real one. Two workers of intake run; half a minute in, one of them is killed with -9, and `bianmin up` starts it
    again. Early is what was swept before its moment; twice, what was told more than once to hr or to either head; lost,
    what was not, or is not at hr in the end.
    """
    with stamped_stack() as stack, stack.client() as client, owner_of(stack) as owner:
        administrator = found_company(stack, client)
        site_id = client.post(administrator, "/hr/api/sites", code="A", name="A 小区")["id"]
        await_acknowledged(stack)
        with _second_worker(stack, stack.await_up()):
            facts = {"site_id": site_id, "clerk_id": administrator.id, "howmany": howmany}
            owner.execute(_PROMISE, facts | {"lead": float(LEAD_SECONDS), "within": float(within)})
            sleep(LEAD_SECONDS + within / 2)  # the middle of the minute is when it is to happen
            killed = stack.worker("intake")
            killed.kill()
            wait_until("the last deadline", lambda: not owner.execute(_OVER).scalar_one(), seconds=within + 60, every=1)
            await_acknowledged(stack, seconds=300)
            if stack.worker("intake").pid == killed.pid:
                raise RuntimeError("the worker was not killed")
        late = [float(seconds) for seconds in owner.execute(_LATENESS).scalars()]
        wrong = owner.execute(_WRONG).one()
    return [
        Figure("deadlines: late, p50", median(late), "s"),
        Figure("deadlines: late, p99", percentile(late, 99), "s", P99_SECONDS),
        Figure("deadlines: late, longest", max(late), "s", LONGEST_SECONDS),
        Figure("deadlines: early", wrong.early + sum(seconds < 0 for seconds in late), "", 0),
        Figure("deadlines: twice", wrong.twice, "", 0),
        Figure("deadlines: lost", wrong.lost + howmany - len(late), "", 0),
    ]


@contextmanager
def _second_worker(stack: RunningStack, address: Address) -> Iterator[None]:
    """One more worker of intake beside that of the stack, started as `bianmin up` starts them."""
    log = stack.data / "logs" / "worker-intake-2.log"
    worker = Child(
        "worker-intake-2",
        [
            *(sys.executable, "-m", "celery", "-A", "services.intake.worker:celery", "worker", "--queues", "intake"),
            *("--hostname", "intake-2@bench", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        log=log,
        env={
            "BIANMIN_DATABASE_URL": address.database_url,
            "BIANMIN_BROKER_URL": Engines(stack.data).broker_url_of("intake"),
            "BIANMIN_KEYS": str(stack.data / "keys"),
        },
    )
    worker.start()
    try:
        with owner_of(stack) as owner:
            query = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND usename = 'bianmin'")
            before = owner.execute(query).scalar_one()
            wait_until("the second worker to listen", lambda: owner.execute(query).scalar_one() > before, seconds=60)
        yield
    finally:
        worker.stop()
