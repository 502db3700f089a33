"""`make soak`: an hour of orders at half of what the installation can do, with something broken each minute.

Nothing is lost or doubled, hardly a call has to be repeated, no process grows, and the tables grow by what is in them.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from tests.faults.house import RECEIPTS, House, open_house
from tests.faults.traffic import LANES
from tests.folders import reachable_folder

pytestmark = pytest.mark.fault

MINUTES = int(os.environ.get("SOAK_MINUTES", "60"))
WARM = max(1, MINUTES // 6)
"""After so many minutes what a process keeps is there, and growth is measured."""

REPEATED, GROWTH, TABLES = 0.001, 0.05, 0.20
"""The bounds: calls repeated; a process larger at the end; an order more to store in the second half."""

_STORED = """
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace IN ('intake'::regnamespace, 'dispatch'::regnamespace,
                                             'finance'::regnamespace, 'hr'::regnamespace)
"""


@dataclass(frozen=True)
class Look:
    """What there is at a moment: orders, bytes in all tables, bytes of each process that is never broken."""

    orders: int
    stored: int
    resident: dict[str, int]


def look(house: House) -> Look:
    with house.engine.connect() as connection:
        stored = int(connection.execute(text(_STORED)).scalar_one())
    lasting = {"web": house.web(), "worker of finance": house.worker("finance")}
    resident = {name: process.memory_info().rss for name, process in lasting.items()}
    return Look(len(house.ledger.intents), stored, resident)


def kill_worker(house: House, service: str) -> None:
    house.kill(house.worker(service))
    house.worker(service)


def empty_broker(house: House) -> None:
    with house.broker_client() as broker:
        broker.flushall()


FAULTS: list[Callable[[House], None]] = [
    lambda house: kill_worker(house, "intake"),
    House.lose_broker,
    lambda house: kill_worker(house, "dispatch"),
    empty_broker,
    lambda house: kill_worker(house, "hr"),
    House.lose_database,
]
"""One a minute, in turn."""


def work_for_a_minute(house: House, minute: int, *, pace: float) -> None:
    """Orders, and what is broken half-way; all the cash is handed over at its end."""

    def injure() -> None:
        time.sleep(30)
        FAULTS[minute % len(FAULTS)](house)
        time.sleep(25)

    house.traffic("soak", minute, leaping=False, pace=pace).run(0, injure)
    house.await_drained(60)


def test_an_hour_of_orders_with_a_fault_each_minute() -> None:
    with reachable_folder() as folder, open_house(folder) as house, house.running_clock():
        house.traffic("soak", -1, leaping=False).run(0, lambda: time.sleep(30))
        fastest = len(house.ledger.intents) / 30
        pace = LANES / (fastest / 2)
        all_orders = int(fastest / 2 * MINUTES * 60)
        house.bring_receipts(RECEIPTS + 1, RECEIPTS + all_orders)  # at each of the two sites
        acts, messages = house.ledger.acts, house.messages()
        looks = []
        for minute in range(MINUTES):
            if minute in (WARM, (WARM + MINUTES) // 2):
                looks.append(look(house))
            work_for_a_minute(house, minute, pace=pace)
        looks.append(look(house))
        house.judge("an hour, a fault a minute", 1, bound=60, drained=0, acts=acts, messages=messages)
        warm, middle, end = looks
        first, second = (
            (after.stored - before.stored) / (after.orders - before.orders)
            for before, after in ((warm, middle), (middle, end))
        )
        repeated = house.ledger.repeated / house.ledger.acts
        growth = {name: end.resident[name] / warm.resident[name] - 1 for name in warm.resident}
        told = [
            f"{end.orders} orders, at most {fastest:.1f} a second",
            f"{house.ledger.acts} acts, {repeated:.3%} repeated",
            f"{first:,.0f} and {second:,.0f} bytes an order",
            *(f"{name} {warm.resident[name] / 1e6:.0f} MB {more:+.1%}" for name, more in growth.items()),
        ]
        sys.stdout.write("\n" + "; ".join(told) + "\n")
        assert repeated <= REPEATED
        assert max(growth.values()) <= GROWTH, growth
        assert second <= first * (1 + TABLES), (first, second)
