"""Processes die or stand still at any moment, and at every named point of the code; nothing is lost or doubled."""

import contextlib
import itertools
import time
from collections import Counter
from random import Random

import psutil
import pytest
from sqlalchemy import text

from bianmin.children import NeverCame, wait_until
from bianmin.stack import SERVICES
from tests.faults.house import House

pytestmark = pytest.mark.fault

POINTS = (
    "published",
    "published, before the commit",
    "published, after the commit",
    "relayed, before it is sent",
    "relayed, before the commit",
    "relayed, after the commit",
    "claimed",
    "acted, before the commit",
    "acted, after the commit",
    "acknowledged, before it is sent",
    "acknowledged, before the commit",
    "acknowledged, after the commit",
    "closed, before the commit",
    "closed, after the commit",
    "ticked, before the commit",
    "ticked, after the commit",
)
"""Everywhere between a fact and its effect; `inside/sitecustomize.py` says where each is."""


def test_each_process_killed_at_any_moment_costs_nothing(house: House, seed: int, orders: int, full: bool) -> None:
    chance = Random(f"kill {seed}")
    victims = [*SERVICES, "web"] * (3 if full else 1)
    chance.shuffle(victims)

    def kill_one_after_the_other() -> None:
        for victim in victims:
            time.sleep(chance.uniform(0.3, 2))
            house.kill(house.web() if victim == "web" else house.worker(victim))
        for service in SERVICES:
            house.worker(service)
        house.await_web()

    house.endure("kill -9 at any moment", seed, kill_one_after_the_other, bound=30, orders=orders)


def test_a_process_killed_at_any_point_of_a_message_costs_nothing(
    house: House, seed: int, orders: int, full: bool
) -> None:
    """Every point is hit: four in wait at a time, in the full run one at a time and three times each.

    A point that nobody passes fails.
    """
    chance = Random(f"points {seed}")
    wanted = list(POINTS) * (3 if full else 1)
    chance.shuffle(wanted)
    before, at_once = house.hits(), 1 if full else 4

    def kill_at_each() -> None:
        for first in range(0, len(wanted), at_once):
            points = wanted[first : first + at_once]
            ought = house.hits() + Counter(points)
            for point in points:
                house.arm(point)
            house.miss_callbacks(sum(point.startswith("ticked") for point in points))
            wait_until(f"processes to pass: {points}", lambda ought=ought: house.hits() == ought, seconds=60 * at_once)  # type: ignore[misc]  # mypy knows no lambda with a default
        for service in SERVICES:
            house.worker(service)
        house.await_web()

    house.endure("kill -9 at every named point", seed, kill_at_each, bound=30, orders=orders)
    hit = house.hits() - before
    assert {point: hit[point] for point in POINTS} == dict.fromkeys(POINTS, 3 if full else 1)


def test_workers_that_stand_still_for_a_while_cost_nothing(house: House, seed: int, orders: int) -> None:
    chance = Random(f"stop {seed}")

    def stop_each() -> None:
        for service in chance.sample(SERVICES, len(SERVICES)):
            with house.stopped(house.worker(service)):
                time.sleep(1.5)

    house.endure("SIGSTOP of each worker", seed, stop_each, bound=15, orders=orders)


def test_a_pump_that_stands_still_with_its_rows_locked_costs_nothing(house: House, seed: int, orders: int) -> None:
    """The backend that serves a worker's transaction is stopped: its locks stay, and others must pass them by."""
    chance = Random(f"locks {seed}")

    def stop_backends() -> None:
        for service in chance.sample(SERVICES, len(SERVICES)):
            backend = _backend_at_work(house, service)
            if backend is not None:
                with house.stopped(backend):
                    time.sleep(1.5)

    house.endure("SIGSTOP of a pump's database connection", seed, stop_backends, bound=15, orders=orders)


def _backend_at_work(house: House, service: str) -> psutil.Process | None:
    """The server process of a connection that takes the rows of `service`'s outbox; None when none was seen."""
    found: list[int] = []

    def seen() -> bool:
        with house.engine.connect() as connection:
            found[:] = connection.execute(
                text("""SELECT pid FROM pg_stat_activity WHERE application_name = :name AND query LIKE '%outbox%'
                        ORDER BY state_change DESC LIMIT 1"""),
                {"name": f"bianmin-{service}"},
            ).scalars()
        return bool(found)

    with contextlib.suppress(NeverCame):
        wait_until("a pump at work", seen, seconds=5)
    return psutil.Process(found[0]) if found else None


def test_messages_delivered_twenty_times_and_in_any_order_take_effect_once(
    house: House, seed: int, orders: int
) -> None:
    """Whatever lies in a queue is put back twenty times, shuffled."""
    chance = Random(f"copies {seed}")
    copied = [0]

    def copy_what_is_queued() -> None:
        services = chance.sample(SERVICES, len(SERVICES))
        for service in itertools.chain(services, itertools.takewhile(lambda _: copied[0] < 100, services * 20)):
            with house.stopped(house.worker(service)), house.broker_client() as broker:
                with contextlib.suppress(NeverCame):  # not every department hears something all the time
                    wait_until("something to lie in the queue", lambda: broker.llen(service) > 2, seconds=2)  # noqa: B023  # called before the loop goes on
                copies = broker.lrange(service, 0, -1) * 20
                chance.shuffle(copies)
                if copies:
                    broker.delete(service)
                    broker.lpush(service, *copies)
                copied[0] += len(copies)

    house.endure("every message twenty times, in any order", seed, copy_what_is_queued, bound=15, orders=orders)
    assert copied[0] >= 100
