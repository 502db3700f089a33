"""The morning after the month, as the demo leaves it: every list has something on it for the one who works with it.

It is played in the installation in which the month was lived, after whatever else looks at that month.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest

from bianmin.address import Address
from bianmin.children import wait_until
from bianmin.client import Client, Person
from bianmin.month.cast import Cast, Team, cast_of
from bianmin.month.morning import WAITING
from shared.db import SERVICES
from tests.journeys.conftest import LivedMonth

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Begun:
    """A morning that began: what the command said, and everybody as he was cast."""

    lived: LivedMonth
    client: Client
    cast: Cast
    output: str


@pytest.fixture(scope="module")
def begun(lived_month: LivedMonth) -> Iterator[Begun]:
    done = lived_month.stack.bianmin("morning")
    assert done.returncode == 0, done.stdout + done.stderr
    with lived_month.stack.client() as client:
        yield Begun(lived_month, client, cast_of(client, lived_month.stack.everybody()), done.stdout)


Who = Callable[[Cast, Team], Person]


def clerk(_: Cast, team: Team) -> Person:
    return team.clerks[0]


def desk_head(_: Cast, team: Team) -> Person:
    return team.desk_head


def engineer(_: Cast, team: Team) -> Person:
    return team.heads["engineering"]


def gardener(_: Cast, team: Team) -> Person:
    return team.heads["environment"]


def cashier(_: Cast, team: Team) -> Person:
    return team.cashier


def leader(cast: Cast, _: Team) -> Person:
    return cast.leader


def hr(cast: Cast, _: Team) -> Person:
    return cast.hr


def plumber(_: Cast, team: Team) -> Person:
    return team.workers["engineering"][0]


def waits(seconds_left: range) -> Callable[[Any], bool]:
    """Whether an owner has that much time left, or had when the clock was let go."""

    def fits(request: Any) -> bool:
        due = request["callback_due_at"]
        if due is None:
            return False
        recorded = datetime.fromisoformat(request["recorded_at"])
        let_go = recorded.replace(hour=1, minute=32, second=0, microsecond=0)  # 9:32 at the sites
        return int((datetime.fromisoformat(due) - let_go).total_seconds()) in seconds_left

    return fits


def state(name: str) -> Callable[[Any], bool]:
    return lambda row: bool(row["state"] == name)


LISTS: list[tuple[str, Who, str, Callable[[Any], bool]]] = [
    ("owners with plenty of time", clerk, "/intake/api/callbacks", waits(range(500, 601))),
    ("an owner due soon", clerk, "/intake/api/callbacks", waits(range(60, 301))),
    ("an owner missed", clerk, "/intake/api/callbacks", lambda row: row["callback_missed"]),
    ("an owner at the desk", clerk, "/intake/api/callbacks", lambda row: row["channel"] == "walk_in"),
    ("a fee agreed, the notice not printed", clerk, "/intake/api/requests", state("agreed")),
    ("a question to a department", clerk, "/intake/api/consultations", lambda row: row["replied_at"] is None),
    ("an owner to ask", clerk, "/intake/api/revisits", lambda row: row["round"] == 0),
    ("a problem found", clerk, "/intake/api/requests", state("rework")),
    ("a fee to collect", clerk, "/finance/api/charges", state("accepted")),
    ("a question to answer", engineer, "/dispatch/api/consultations?open=true", lambda _: True),
    ("a notice of engineering", engineer, "/dispatch/api/work-orders?state=received", lambda row: row["round"] == 0),
    ("a notice of environment", gardener, "/dispatch/api/work-orders?state=received", lambda _: True),
    ("a rework", engineer, "/dispatch/api/work-orders?state=received", lambda row: row["round"] == 1),
    ("a job to assign", engineer, "/dispatch/api/work-orders?state=acknowledged", lambda _: True),
    ("a job assigned", plumber, "/dispatch/api/work-orders?state=assigned", lambda _: True),
    ("a worker on the way", engineer, "/dispatch/api/work-orders?state=checked_in", lambda _: True),
    ("a worker at the home", gardener, "/dispatch/api/work-orders?state=started", lambda _: True),
    ("a worker who asks for support", engineer, "/dispatch/api/work-orders?state=stopped", lambda _: True),
    ("an owner to sign", plumber, "/dispatch/api/work-orders?state=finished", lambda _: True),
    ("cash offered", cashier, "/finance/api/hand-overs?state=offered", lambda _: True),
    ("cash counted short", clerk, "/finance/api/hand-overs?state=stated", lambda _: True),
    ("cash deposited today", cashier, "/finance/api/deposits", lambda row: row["reference"].count("-202605")),
    ("a refund to decide", leader, "/finance/api/refunds", state("proposed")),
    ("a use of the reserve fund", leader, "/finance/api/reserve/proposals", state("proposed")),
    ("a case to hear", hr, "/hr/api/cases", lambda row: row["state"] == "open" and row["offence"] == "private_job"),
    ("a case to decide", leader, "/hr/api/cases", state("heard")),
    ("a payout", hr, "/hr/api/payouts", lambda _: True),
    ("a delivery", hr, "/hr/api/deliveries", lambda row: row["acknowledged_at"] is not None),
    ("alerts of the desk", desk_head, "/intake/api/alerts", lambda row: row["kind"] == "callback_missed"),
    ("alerts of the department", engineer, "/dispatch/api/alerts", lambda row: row["seen_at"] is None),
]
"""What it is, who works with it, where he reads it, and which rows it is: at every site."""


@pytest.mark.parametrize(("what", "who", "path", "fits"), LISTS, ids=[line[0] for line in LISTS])
def test_every_site_has_something_on_every_list(
    begun: Begun, what: str, who: Who, path: str, fits: Callable[[Any], bool]
) -> None:
    path, _, query = path.partition("?")
    asked = dict(part.split("=") for part in query.split("&")) if query else {}
    for team in begun.cast.teams:
        told = begun.client.get(who(begun.cast, team), path, **asked, **({} if path.endswith("callbacks") else ALL))
        rows = told if isinstance(told, list) else told["items"]
        of_site = [row for row in rows if row.get("site_id", team.site_id) == team.site_id]
        assert [row for row in of_site if fits(row)], f"{what} at {team.code}"


ALL = {"limit": 1000}


def test_both_clerks_of_every_site_hold_cash_one_of_them_has_offered(begun: Begun) -> None:
    for team in begun.cast.teams:
        holders = {line["holder_id"] for line in begun.client.get(team.cashier, "/finance/api/cash")}
        assert holders >= {clerk.id for clerk in team.clerks}, team.code


def test_a_price_change_waits_for_the_leader(begun: Begun) -> None:
    versions = begun.client.pages(begun.cast.leader, "/finance/api/price-versions")
    assert [version["state"] for version in versions] == ["approved", "draft"]


def test_every_invariant_holds_in_the_middle_of_the_work(begun: Begun) -> None:
    done: list[Any] = []

    def nothing_is_under_way() -> bool:
        done[:] = [begun.lived.stack.bianmin("verify", "--settled")]
        return "nothing_is_under_way" not in done[0].stdout

    wait_until("the messages of the morning to be acknowledged", nothing_is_under_way, seconds=120)
    assert done[0].returncode == 0, done[0].stdout + done[0].stderr


def test_the_month_before_is_audited_as_if_nothing_had_come_after_it(begun: Begun) -> None:
    done = begun.lived.stack.bianmin("audit", begun.lived.exports.month)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_clock_goes_on_by_itself(begun: Begun) -> None:
    before = begun.lived.stack.clock()
    wait_until("the clock to move", lambda: begun.lived.stack.clock() > before, seconds=10)


def test_whoever_looks_around_is_told_whom_he_can_be_and_is_known_by_every_service(begun: Begun) -> None:
    base = Address.read(begun.lived.stack.data).base_url
    assert re.sub(r"\s", "", base) in re.sub(r"\s", "", begun.output)
    page = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=base, timeout=30) as stranger:
        people = stranger.get("/hr/api/demo/people").json()
    assert {one["role"] for one in people} == set(WAITING)
    for one in people:
        assert one["name"] in begun.output
        with httpx.Client(base_url=base, headers=page, timeout=30) as browser:
            answer = browser.post("/hr/api/demo/sessions", json={"person_id": one["person_id"]})
            assert answer.status_code == 201, answer.text
            for service in SERVICES:
                assert browser.get(f"/{service}/api/may").status_code == 200, (one["role"], service)
