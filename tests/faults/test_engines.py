"""The engines break: the broker forgets everything or dies, PostgreSQL dies at once; nothing is lost or doubled."""

import signal
import time
from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from bianmin.children import wait_until
from shared.bus.outbox import publish
from shared.db import Database
from shared.messages import CallbackMissed
from tests.faults.house import House

pytestmark = pytest.mark.fault

QUEUED = 300


def test_a_broker_that_forgets_everything_costs_nothing(house: House, seed: int, orders: int) -> None:
    chance = Random(f"flush {seed}")

    def flush_now_and_then() -> None:
        with house.broker_client() as broker:
            for _ in range(4):
                time.sleep(chance.uniform(0.3, 1.5))
                broker.flushall()

    house.endure("FLUSHALL while busy", seed, flush_now_and_then, bound=15, orders=orders)


def test_messages_queued_when_the_broker_forgets_everything_are_all_handled(house: House, seed: int) -> None:
    """The directed backlog test: random chaos alone hardly finds an outbox that closes its rows too early."""
    intake = Database("intake", house.address.database_url, pool_size=1)
    messages = house.messages()
    with house.stopped(house.worker("hr")), house.broker_client() as broker:
        said = _publish(house, intake)

        def sent() -> bool:
            with intake.session() as session:
                rows = text("SELECT count(*) FROM outbox WHERE type = 'CallbackMissed' AND sends > 0")
                return int(session.execute(rows).scalar_one()) >= said

        wait_until(f"{QUEUED} messages to be sent", sent, seconds=30)
        assert int(broker.llen("hr")) > 0
        broker.flushall()
    intake.engine.dispose()
    drained = house.await_drained(15)
    house.judge("FLUSHALL with 300 queued", seed, bound=15, drained=drained, acts=house.ledger.acts, messages=messages)


def _publish(house: House, intake: Database) -> int:
    """So many missed callbacks in one transaction; returns how many intake has said altogether."""
    clerk, site_id = house.cast.teams[0].clerks[0], UUID(house.cast.teams[0].site_id)
    due_at = datetime(2026, 4, 1, tzinfo=UTC)
    with intake.session() as session:
        publish(
            session,
            *(
                CallbackMissed(
                    request_id=uuid4(), request_number="Q", site_id=site_id, clerk_id=UUID(clerk.id), due_at=due_at
                )
                for _ in range(QUEUED)
            ),
        )
        return int(session.execute(text("SELECT count(*) FROM outbox WHERE type = 'CallbackMissed'")).scalar_one())


def test_a_killed_broker_is_started_again_and_costs_nothing(house: House, seed: int, orders: int) -> None:
    chance = Random(f"broker {seed}")

    def kill_twice() -> None:
        for _ in range(2):
            time.sleep(chance.uniform(0.5, 2))
            house.kill(house.broker())
            house.broker()

    house.endure("broker killed", seed, kill_twice, bound=15, orders=orders)


def test_a_database_that_stops_at_once_is_started_again_and_costs_nothing(
    house: House, seed: int, orders: int, full: bool
) -> None:
    chance = Random(f"postgres {seed}")

    def stop_again_and_again() -> None:
        for _ in range(6 if full else 3):
            time.sleep(chance.uniform(0.5, 2))
            house.kill(house.postgres(), signal.SIGQUIT)  # what `pg_ctl -m immediate` sends
            house.postgres()
            house.await_database()

    house.endure("PostgreSQL stopped at once", seed, stop_again_and_again, bound=15, orders=orders)
