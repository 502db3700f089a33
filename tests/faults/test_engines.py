"""The engines break: the broker forgets everything or dies, PostgreSQL dies at once; nothing is lost or doubled."""

import time
from random import Random

import pytest
from sqlalchemy import text

from bianmin.children import wait_until
from tests.faults.house import House
from tests.faults.traffic import Intent

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
    acts, messages = house.ledger.acts, house.messages()
    with house.stopped(house.worker("hr")), house.broker_client() as broker:
        missed = house.miss_callbacks(QUEUED)
        wait_until(f"{QUEUED} messages to be sent", lambda: _sent(house, missed) == QUEUED, seconds=60)
        assert int(broker.llen("hr")) > 0
        broker.flushall()
    drained = house.await_drained(15)
    house.judge(f"FLUSHALL with {QUEUED} queued", seed, bound=15, drained=drained, acts=acts, messages=messages)


def _sent(house: House, missed: list[Intent]) -> int:
    """How many of these missed callbacks intake has sent to hr at least once."""
    query = """SELECT count(*) FROM intake.outbox WHERE type = 'CallbackMissed' AND sends > 0
               AND body ->> 'request_id' = ANY(:ids)"""
    with house.engine.connect() as connection:
        return int(connection.execute(text(query), {"ids": [intent.request_id for intent in missed]}).scalar_one())


def test_a_killed_broker_is_started_again_and_costs_nothing(house: House, seed: int, orders: int) -> None:
    chance = Random(f"broker {seed}")

    def kill_twice() -> None:
        for _ in range(2):
            time.sleep(chance.uniform(0.5, 2))
            house.lose_broker()

    house.endure("broker killed", seed, kill_twice, bound=15, orders=orders)


def test_a_database_that_stops_at_once_is_started_again_and_costs_nothing(
    house: House, seed: int, orders: int, full: bool
) -> None:
    chance = Random(f"postgres {seed}")

    def stop_again_and_again() -> None:
        for _ in range(6 if full else 3):
            time.sleep(chance.uniform(0.5, 2))
            house.lose_database()

    house.endure("PostgreSQL stopped at once", seed, stop_again_and_again, bound=15, orders=orders)
