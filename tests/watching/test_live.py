"""An installation that runs, watched by the real Prometheus: figures there, alerts true [promises 36, 37]."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.traffic import Caller
from tests.folders import reachable_folder
from tests.watching.faults import FAULTS, Fault, traffic_of
from tests.watching.watch import Watch, metrics_of, rules, watched

pytestmark = pytest.mark.journey

ALL = os.environ.get("WATCHING_FAULTS") == "all"
MINUTES = float(os.environ.get("WATCHING_MINUTES", "0"))
"""How long orders are done while nobody may be told anything."""
PACE_SECONDS = 1.0
"""From an order to the next."""


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with reachable_folder() as folder, watched(folder) as watch:
        yield watch


def panels() -> list[tuple[str, str]]:
    """Title and expression of every panel of every dashboard."""
    return [
        (f"{path.stem}: {panel['title']}", target["expr"])
        for path in sorted(Path("deploy/grafana").glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", [])
    ]


def test_every_figure_of_every_alert_is_there_and_nothing_is_amiss(watch: Watch) -> None:
    for metric in sorted(set().union(*(metrics_of(rule["expr"]) for rule in rules()))):
        watch.await_figure(f"count({metric})")
    watch.await_quiet()


def test_every_panel_shows_something(watch: Watch) -> None:
    assert panels()
    for _, expr in panels():
        watch.await_figure(expr)


@pytest.mark.skipif(not MINUTES, reason="half an hour of orders: make watching")
def test_nobody_is_told_anything_while_orders_are_done(watch: Watch) -> None:
    """Of any alert, and none of them has the patience it has in the product."""
    watch.await_quiet()
    watch.forget()
    end = time.monotonic() + MINUTES * 60
    traffic = traffic_of(watch)
    with Caller(watch.house.address.base_url, watch.house.ledger) as caller, watch.house.running_clock():
        while time.monotonic() < end:
            traffic.order(caller, traffic.draw())
            assert watch.told() == []
            time.sleep(PACE_SECONDS)
        traffic.hand_over(caller)
    watch.house.judge("nothing", 1, bound=15, drained=0, acts=0, messages=0)
    assert watch.alerts() == []


def test_there_is_a_fault_for_each_alert() -> None:
    assert sorted(alert for fault in FAULTS for alert in fault.raises) == sorted(rule["alert"] for rule in rules())


@pytest.mark.parametrize("fault", FAULTS if ALL else FAULTS[:1], ids=str)
def test_a_real_fault_reaches_the_webhook(watch: Watch, fault: Fault) -> None:
    for alert in fault.raises:
        watch.await_over(alert, fault.where)
    watch.forget()
    with fault.injure(watch):
        for alert in fault.raises:
            watch.await_told(alert, fault.where)
