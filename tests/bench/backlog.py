"""`backlog`: many messages at once, beside what bare Celery does with as many empty tasks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import redis
from celery import Celery
from sqlalchemy import text

from bianmin.children import Child, wait_until
from bianmin.stack import SERVICES
from shared.broker import broker_client
from shared.bus.outbox import BATCH, publish
from shared.bus.transport import held_keys
from shared.db import WORKER, Database
from shared.messages import CallbackMissed
from tests.bench.bare import NOTHING, QUEUE, make_bare
from tests.bench.figure import Figure, await_acknowledged, found_company, fresh_stack
from tests.stack import RunningStack

MESSAGES = 3000
WARM_UP = 200
ROUNDS = 3
RATIO = 0.35
BARE_DATABASE = 1
"""The bare worker's database in the same broker, so that nothing but its own tasks is counted in it."""


def measure() -> list[Figure]:
    """Messages a second from the commit that publishes 3,000 at once to the acknowledgement of the last.

    intake says `CallbackMissed`, which has one receiver and one effect: hr inserts a row. Between the rounds a bare
    Celery worker takes as many tasks that do nothing through the same broker, from the first sending to the last
    acknowledgement. Medians of three alternating rounds, after a warm-up of both.
    """
    with fresh_stack() as stack, stack.client() as client:
        address = stack.await_up()
        clerk = found_company(stack, client)
        site_id = UUID(client.post(clerk, "/hr/api/sites", code="A", name="A 小区")["id"])
        await_acknowledged(stack)
        intake = Database("intake", address.database_url, pool_size=1, limits=WORKER)
        with _bare_worker(stack) as (app, broker):
            bus, bare = [], []
            for count in (WARM_UP, *ROUNDS * [MESSAGES]):
                bus.append(count / _bus_seconds(intake, _callbacks(count, site_id, UUID(clerk.id))))
                _await_drained(stack)
                bare.append(count / _bare_seconds(app, broker, count))
        with intake.session() as session:
            sends = session.execute(text("SELECT sum(sends) FROM outbox")).scalar_one()
        intake.engine.dispose()
        state = client.get(clerk, "/hr/ops/bus")
        handled = len(client.pages(clerk, "/hr/ops/received", state="handled"))
        if state["parked"] or state["waiting"] or handled != WARM_UP + ROUNDS * MESSAGES:
            raise RuntimeError(f"{handled} messages took effect: {state}")
    return [
        Figure("backlog: messages", median(bus[1:]), "/s"),
        Figure("backlog: bare Celery tasks", median(bare[1:]), "/s"),
        Figure("backlog: messages to bare tasks", median(bus[1:]) / median(bare[1:]), "", at_least=RATIO),
        Figure("backlog: sendings of a message", sends / handled, ""),
    ]


def _await_drained(stack: RunningStack) -> None:
    """Messages sent again while they waited are still in the queues when all are acknowledged: not the next's load."""
    with broker_client(stack.broker_url) as broker:
        wait_until(
            "the queues to be empty",
            lambda: not any(broker.llen(name) or broker.hlen(held_keys(name)[0]) for name in SERVICES),
            seconds=120,
        )


def _callbacks(count: int, site_id: UUID, clerk_id: UUID) -> list[CallbackMissed]:
    """Facts that differ, each about another request."""
    due_at = datetime(2026, 4, 1, tzinfo=UTC)
    return [
        CallbackMissed(request_id=uuid4(), request_number="Q", site_id=site_id, clerk_id=clerk_id, due_at=due_at)
        for _ in range(count)
    ]


def _bus_seconds(intake: Database, messages: list[CallbackMissed]) -> float:
    """From just before the commit to the last acknowledgement, both by the database's clock."""
    with intake.session() as session:
        publish(session, *messages)
        began = session.execute(text("SELECT clock_timestamp()")).scalar_one()

    def acknowledged() -> bool:
        with intake.session() as session:
            query = text("SELECT EXISTS (SELECT FROM outbox WHERE acknowledged_at IS NULL)")
            return not session.execute(query).scalar_one()

    wait_until(f"{len(messages)} messages to be acknowledged", acknowledged, seconds=300)
    with intake.session() as session:
        ended = session.execute(text("SELECT max(acknowledged_at) FROM outbox")).scalar_one()
    return float((ended - began).total_seconds())


@contextmanager
def _bare_worker(stack: RunningStack) -> Iterator[tuple[Celery, redis.Redis]]:
    """A worker of bare.py, started as Stack starts those of the services."""
    url = f"{stack.broker_url}?virtual_host={BARE_DATABASE}"
    worker = Child(
        "worker-bare",
        [
            *(sys.executable, "-m", "celery", "-A", "tests.bench.bare:celery", "worker", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        log=stack.data / "logs" / "worker-bare.log",
        env={"BARE_BROKER_URL": url},
    )
    worker.start()
    try:
        with broker_client(f"{stack.broker_url}?db={BARE_DATABASE}") as broker:
            yield make_bare(url), broker
    finally:
        worker.stop()


def _bare_seconds(app: Celery, broker: redis.Redis, count: int) -> float:
    """From the first sending, in batches as the pump sends, until the broker holds nothing sent or unacknowledged."""
    began = perf_counter()
    with app.connection_for_write() as connection:
        producer: Any = app.amqp.Producer(connection)
        for first in range(0, count, BATCH):
            with producer.batch():
                for number in range(first, min(first + BATCH, count)):
                    app.send_task(NOTHING, (number,), producer=producer, retry=False, argsrepr="-")
    looks: list[bool] = [False, False]

    def empty_twice() -> bool:
        """Twice, because a task on its way from the queue to the unacknowledged is in neither for a moment."""
        looks[:] = [looks[1], broker.llen(QUEUE) == 0 and broker.hlen("unacked") == 0]
        return all(looks)

    wait_until(f"{count} bare tasks to be done", empty_twice, seconds=120, every=0.005)
    return perf_counter() - began
