"""The lines to the engines are bad: holes, delays, trickles, resets; nothing is lost or doubled, nobody hangs."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from bianmin.engines import Engines, broker_passwords
from tests.faults.house import House, open_house
from tests.faults.proxy import Mode, Proxy
from tests.folders import reachable_folder

pytestmark = pytest.mark.fault

HEALED_SECONDS = 60
CONSUMING_SECONDS = 30


@dataclass
class Lined:
    """An installation whose engines are behind proxies."""

    house: House
    to_broker: Proxy
    to_database: Proxy

    def proxies(self, which: str) -> list[Proxy]:
        return {"broker": [self.to_broker], "database": [self.to_database]}.get(
            which, [self.to_broker, self.to_database]
        )


class Houses:
    """One such installation for many cases; a new one after a case that failed."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._lined: Lined | None = None
        self._failed = 0

    def intact(self, failed: int) -> Lined:
        if self._lined is None or failed != self._failed:
            self.close()
            self._failed = failed
            self._lined = self._start()
        return self._lined

    def _start(self) -> Lined:
        folder = self._open.enter_context(reachable_folder())
        engines = Engines(folder / "engines")
        engines.start()
        self._open.callback(engines.stop)
        postgres_socket = Path(engines.database_url.partition("host=")[2]) / ".s.PGSQL.5432"
        to_broker = self._open.enter_context(closing(Proxy(engines.data_socket)))
        to_database = self._open.enter_context(closing(Proxy(postgres_socket)))
        accounts = {
            f"BIANMIN_{account.upper()}_BROKER_URL": f"redis://{account}:{password}@127.0.0.1:{to_broker.port}/0"
            for account, password in broker_passwords(engines.data).items()
        }
        urls = accounts | {
            "BIANMIN_BROKER_URL": accounts["BIANMIN_WEB_BROKER_URL"],
            "BIANMIN_ALLOW_WEAK_SECRETS": "true",  # over TCP the embedded database asks for none
            "BIANMIN_DATABASE_URL": f"postgresql+psycopg://bianmin@127.0.0.1:{to_database.port}/bianmin",
        }
        house = self._open.enter_context(open_house(folder, urls, engines.database_url))
        return Lined(house, to_broker, to_database)

    def close(self) -> None:
        self._open.close()
        self._lined = None


@pytest.fixture(scope="module")
def lined_houses() -> Iterator[Houses]:
    houses = Houses()
    yield houses
    houses.close()


@pytest.fixture
def lined(lined_houses: Houses, request: pytest.FixtureRequest) -> Lined:
    return lined_houses.intact(request.session.testsfailed)


ORDINARY = {("reset", "both"), ("hole", "broker"), ("delay", "database")}
"""What the ordinary suite runs of the twelve: each kind of line, each kind of fault that differs most."""


@pytest.mark.parametrize(
    ("mode", "which"),
    [
        pytest.param(mode, which, marks=() if (mode, which) in ORDINARY else pytest.mark.fault(full=True))
        for mode in ("hole", "delay", "trickle", "reset")
        for which in ("broker", "database", "both")
    ],
)
def test_a_bad_line_costs_nothing(lined: Lined, seed: int, orders: int, mode: Mode, which: str) -> None:
    chance = Random(f"line {seed} {mode} {which}")

    def make_it_bad() -> None:
        for _ in range(2):
            time.sleep(chance.uniform(0.3, 1.5))
            for proxy in lined.proxies(which):
                proxy.become(mode)
            time.sleep(chance.uniform(2, 4))
            for proxy in lined.proxies(which):
                proxy.become("pass")

    lined.house.endure(f"line to {which}: {mode}", seed, make_it_bad, bound=HEALED_SECONDS, orders=orders)


def test_a_worker_whose_busy_lines_to_the_broker_are_reset_consumes_again_soon(
    lined: Lined, seed: int, full: bool
) -> None:
    """Two seconds of resets of the connections that carry data, while it is busy: stock Celery then hangs for good."""
    house, acts, messages = lined.house, lined.house.ledger.acts, lined.house.messages()
    slowest = 0.0
    for _ in range(10 if full else 2):
        busy = house.miss_callbacks(100)
        lined.to_broker.look()
        began = time.monotonic()
        while time.monotonic() - began < 2:
            lined.to_broker.reset(busy=True)
            time.sleep(0.05)
        for missed in (busy[-1], *house.miss_callbacks(1)):
            slowest = max(slowest, house.await_heard_by_hr(missed, CONSUMING_SECONDS))
    assert lined.to_broker.resets > 0
    house.judge(
        "line to broker: busy connections reset for 2 s",
        seed,
        bound=CONSUMING_SECONDS,
        drained=slowest,
        acts=acts,
        messages=messages,
    )
