"""Two application hosts and a data host: either may be cut off or lose its power, and nothing is lost or doubled.

For the full run alone (`make hosts`, `make faults`): two of everything takes long to start.
"""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import NullPool, create_engine

from bianmin.children import wait_until
from bianmin.cli import MONTH_BEGINS
from bianmin.month.cast import PRICES
from bianmin.stack import SERVICES
from tests.browser import session_of
from tests.faults.hosts import WEBS, Hosts, network
from tests.faults.house import NINE, House, bring_witness
from tests.folders import reachable_folder

pytestmark = pytest.mark.fault(full=True)

CUT_SECONDS, WHOLE_SECONDS = 12.0, 20.0
"""How long a line is cut, which is longer than a dead one is believed in; and whole, so that the month goes on."""
TAKEN_OVER_SECONDS = 30
"""A deadline that passes while a host is away is acted on by another within this."""


@contextmanager
def three_hosts(begins: str) -> Iterator[Hosts]:
    """All three at work."""
    with reachable_folder() as folder, network() as (outside, three):
        hosts = Hosts(folder, outside, three, begins=begins)
        try:
            hosts.start()
            for host in hosts.applications:
                hosts.await_workers(host)
            yield hosts
        finally:
            hosts.stop()


def test_a_month_is_lived_while_a_host_is_cut_off_again_and_again(seed: int, tmp_path: Path) -> None:
    """Everybody is served by the other; the auditor agrees with every figure, and every invariant holds."""
    with three_hosts(MONTH_BEGINS) as hosts:
        stays, goes = hosts.applications
        address = replace(hosts.await_up(), base_url=hosts.web_of(stays))
        bring_witness(create_engine(address.database_url, poolclass=NullPool))
        cuts = 0
        results = str(tmp_path / "results")
        with hosts.bianmin("month", f"--seed={seed}", "--results", results, address=address, data=tmp_path) as month:
            said = None
            founded = tmp_path / "people.json"
            wait_until("the company to be founded", lambda: founded.exists() or month.poll() is not None, seconds=300)
            while said is None:
                goes.cut()
                cuts += 1
                said = ended_within(month, CUT_SECONDS)
                goes.heal()
                hosts.await_workers(goes)
                said = ended_within(month, WHOLE_SECONDS) if said is None else said
        assert month.returncode == 0, said
        assert cuts >= 3
        with hosts.bianmin("verify", address=address, data=tmp_path) as verify:
            said, _ = verify.communicate()
        assert verify.returncode == 0, said


def ended_within(process: subprocess.Popen[str], seconds: float) -> str | None:
    """What it printed, when it ended within so many seconds; None when it did not."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return None


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with three_hosts(NINE.isoformat()) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def house(hosts: Hosts) -> House:
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


def test_no_host_has_more_connections_than_the_documents_say(house: House, hosts: Hosts) -> None:
    """Each process has a pool of eight for each of its services at most, and one connection more that listens."""
    most = (WEBS * len(SERVICES) + len(SERVICES)) * 9
    for host in hosts.applications:
        assert 0 < hosts.sessions_of(host) <= most


def test_a_session_of_one_host_works_at_the_other_hears_it_and_ends_at_both(house: House, hosts: Hosts) -> None:
    """Each of a host's port is shared by two processes: nothing of a session is in the memory of one."""
    team = house.cast.teams[0]
    one, two = (Visitor(hosts.web_of(host)) for host in hosts.applications)
    one.cookie = two.cookie = session_of(one.base_url, team.clerks[0].id)
    csrf = [one.get("/hr/api/sessions/current").json()["csrf_token"] for _ in range(6)]
    assert len(set(csrf)) == 1, "every process knows the same token of a session"
    heard = threading.Event()
    listening = threading.Thread(target=two.listen, args=("/intake/changes", heard), daemon=True)
    listening.start()
    wait_until("the stream to begin", lambda: two.streams, seconds=30)
    request = {
        "site_id": team.site_id,
        "channel": "phone",
        "owner_name": "王芳",
        "address": "1-101",
        "phone": "13800000000",
        "description": "修理",
        "trade": PRICES[0]["trade"],
    }
    made = [visitor.post("/intake/api/requests", csrf[0], request) for visitor in (one, two) for _ in range(3)]
    assert [answer.status_code for answer in made] == [201] * 6, made[0].text
    assert [one.post("/intake/api/requests", "0" * 64, request).status_code for _ in range(3)] == [403] * 3
    assert heard.wait(30), "what is done at one host is told to a page that is open at another"
    listening.join(30)
    assert one.post("/hr/api/sessions/current/end", csrf[0]).status_code == 204
    for visitor in (one, two):
        wait_until(
            "the session to have ended everywhere",
            lambda visitor=visitor: {visitor.get("/intake/api/may").status_code for _ in range(6)} == {401},  # type: ignore[misc]
            seconds=60,
        )
    house.await_drained(60)


class Visitor:
    """A browser at the web of one host; each request is a connection of its own, which any process may get."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.cookie: dict[str, str] = {}
        self.streams = False

    def _headers(self, **more: str) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookie.items())
        return {"Cookie": cookie, "Origin": self.base_url, "Sec-Fetch-Site": "same-origin"} | more

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.base_url + path, headers=self._headers(), timeout=30)

    def post(self, path: str, csrf: str, body: dict[str, object] | None = None) -> httpx.Response:
        headers = self._headers(**{"X-CSRF-Token": csrf, "Idempotency-Key": f"{time.monotonic_ns()}"})
        return httpx.post(self.base_url + path, headers=headers, json=body, timeout=30)

    def listen(self, path: str, heard: threading.Event) -> None:
        """Until something changed."""
        headers = self._headers(Accept="text/event-stream")
        with httpx.stream("GET", self.base_url + path, headers=headers, timeout=60) as stream:
            for line in stream.iter_lines():
                self.streams = True
                if line == "event: changed":
                    heard.set()
                    return
