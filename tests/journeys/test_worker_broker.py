"""A broker that dies or a connection that is cut leaves a worker alive and consuming.

Each is shown beside stock kombu, which ends or stalls: when that no longer happens, shared/bus/transport.py has
outlived its use.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.broker import broker_client
from shared.db import WORKER, Database
from tests.workers import (
    Inbox,
    Queue,
    Workers,
    broker_url,
    busy,
    delivery,
    envelope,
    own_broker,
    pid,
    proxied,
    start_broker,
    workers,
)

pytestmark = pytest.mark.journey

STOCK = """
import shared.bus.transport
from kombu.transport import redis
shared.bus.transport.Channel.QoS = redis.QoS
"""
"""Run in a worker as it starts: kombu's own bookkeeping of what a worker holds."""


@pytest.fixture
def inbox(installation: str) -> Iterator[Inbox]:
    database = Database("finance", installation, pool_size=2, limits=WORKER)
    yield Inbox(database)
    database.engine.dispose()


def environment(place: Path, kombu: str) -> dict[str, str]:
    """The environment of a worker with our kombu, or the stock one."""
    if kombu == "ours":
        return {}
    (place / "stock").mkdir()
    (place / "stock" / "sitecustomize.py").write_text(STOCK)
    return {"PYTHONPATH": f"{place / 'stock'}:{Path(__file__).parents[2]}"}


WINDOW = 16
"""Messages a worker holds at a time: four threads, and four for each of them."""
MESSAGES = 24


@contextmanager
def full_window(running: Workers, place: Path, owner: Engine) -> Iterator[None]:
    """The worker holds as many messages as it may, none of which ends before the block does; more wait."""
    with broker_client(broker_url(place)) as client, busy(owner):
        queue = Queue(client)
        queue.put(*(delivery(envelope()) for _ in range(MESSAGES)))
        running.until("the window to be full", lambda: len(queue) <= MESSAGES - WINDOW, seconds=30)
        yield


@pytest.mark.parametrize("kombu", ["ours", "stock"])
def test_a_broker_that_dies_and_comes_back_empty_does_not_stop_a_busy_worker(
    installation: str, committing: Engine, inbox: Inbox, place: Path, kombu: str
) -> None:
    """Ours by itself; stock kombu stalls, is found by its progress and replaced."""
    with own_broker(place) as broker, workers(place) as running:
        child = running.start(
            "finance", database_url=installation, broker_url=broker_url(place), **environment(place, kombu)
        )
        first = pid(child)
        for round_ in range(1, 4):
            before = inbox.handled()
            with full_window(running, place, committing):
                assert broker.process is not None
                broker.process.send_signal(signal.SIGKILL)
                broker.process.wait()
            held = before + WINDOW
            running.until(
                "what it held to be handled",
                lambda held=held: inbox.handled() >= held or child.restarts > 0,  # what a replaced one held is gone
                seconds=30,
            )
            start_broker(broker, place)
            good = envelope()
            with broker_client(broker_url(place)) as client:
                Queue(client).put(delivery(good))
            running.until(
                f"a message after death {round_} to be handled",
                lambda good=good: inbox.handled(good.id) == 1,
                seconds=15 if kombu == "ours" else 30,
            )
            if child.restarts:
                break  # stock kombu has stalled
        assert inbox.people() == inbox.handled()
        if kombu == "ours":
            assert (pid(child), child.restarts, child.kills) == (first, 0, 0)
        else:
            assert child.restarts > 0  # else kombu needs us no more


@pytest.mark.parametrize("kombu", ["ours", "stock"])
def test_after_two_seconds_of_cut_connections_a_busy_worker_consumes_again(
    installation: str, committing: Engine, inbox: Inbox, place: Path, kombu: str
) -> None:
    """Ours by itself; stock kombu stays connected and idle, is found by its progress and replaced."""
    (place / "p").mkdir()
    with own_broker(place), proxied(place / "p" / "b.sock", place / "b.sock") as proxy, workers(place) as running:
        child = running.start(
            "finance", database_url=installation, broker_url=broker_url(place / "p"), **environment(place, kombu)
        )
        first = pid(child)
        for round_ in range(1, 4):
            with full_window(running, place, committing):
                proxy.reset_what_carries_data()
            time.sleep(2)  # the fault, as long as it is promised to be survived
            cuts = proxy.resets
            proxy.heal()
            assert cuts > 0
            good = envelope()  # what was popped and not noted when it was cut is gone: its sender would send it again
            with broker_client(broker_url(place)) as client:
                Queue(client).put(delivery(good))
            running.until(
                f"a message after cut {round_} to be handled", lambda good=good: inbox.handled(good.id) == 1, seconds=30
            )
            if child.restarts:
                break  # stock kombu has stalled
        assert inbox.people() == inbox.handled()
        assert child.kills <= 3
        if kombu == "ours":
            assert (pid(child), child.restarts, child.kills) == (first, 0, 0)
        else:
            assert child.kills > 0  # else kombu needs us no more
