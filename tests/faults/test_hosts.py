"""Two application hosts and a data host: either may be cut off or lose its power, and nothing is lost or doubled.

For the full run alone (`make hosts`, `make faults`): two of everything takes long to start.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bianmin.children import wait_until
from tests.faults.hosts import Hosts, network
from tests.faults.house import House

pytestmark = pytest.mark.fault(full=True)

TAKEN_OVER_SECONDS = 30
"""A deadline that passes while a host is away is acted on by another within this."""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with tempfile.TemporaryDirectory(prefix="bm-hosts-") as name, network() as (outside, three):
        folder = Path(name)
        folder.chmod(0o755)
        hosts = Hosts(folder, outside, three)
        try:
            hosts.start()
            yield hosts
        finally:
            hosts.stop()


@pytest.fixture(scope="module")
def house(hosts: Hosts) -> House:
    for host in hosts.applications:
        hosts.await_workers(host)
    return House(hosts, hosts.folder / "faults")  # type: ignore[arg-type]  # it stands in for what `bianmin up` runs


def missed_soon(house: House) -> None:
    """A callback nobody makes is missed, once, and hr hears of it, soon."""
    missed = house.miss_callbacks(1)[0]
    wait_until("the deadline to be acted on", lambda: house.is_missed(missed), seconds=TAKEN_OVER_SECONDS)
    house.await_heard_by_hr(missed, 60)


def test_a_host_that_is_cut_off_for_a_while_costs_nothing(house: House, hosts: Hosts, seed: int, orders: int) -> None:
    def cut_each() -> None:
        for host in hosts.applications:
            time.sleep(2)
            host.cut()
            missed_soon(house)
            time.sleep(10)  # longer than a dead line is believed in
            host.heal()
            hosts.await_workers(host)

    house.endure("an application host is cut off", seed, cut_each, bound=60, orders=orders)


def test_a_host_that_loses_its_power_is_replaced_by_the_other(
    house: House, hosts: Hosts, seed: int, orders: int
) -> None:
    """What it held is the other's within a minute, though the database is told nothing of its end."""
    drained = []

    def lose_each() -> None:
        for host in hosts.applications:
            time.sleep(2)
            host.lose_power()
            missed_soon(house)
            drained.append(house.await_drained(90))
            wait_until("the database to notice", lambda host=host: not hosts.sessions_of(host), seconds=60)  # type: ignore[misc]
            host.boot()
            hosts.await_web(host)
            hosts.await_workers(host)

    house.endure("an application host loses its power", seed, lose_each, bound=60, orders=orders)
    assert len(drained) == len(hosts.applications)


def test_two_tickers_of_each_service_act_on_each_deadline_once(house: House, seed: int) -> None:
    """Two hundred deadlines pass at one moment, with a worker of intake on each host."""
    missed = house.miss_callbacks(200)
    acts, messages = house.ledger.acts, house.messages()
    wait_until("all deadlines to be acted on", lambda: house.is_missed(missed[-1]), seconds=TAKEN_OVER_SECONDS)
    house.await_heard_by_hr(missed[-1], 60)
    house.judge("two tickers, 200 deadlines", seed, bound=60, drained=0, acts=acts, messages=messages)
