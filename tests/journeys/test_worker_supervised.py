"""A worker that makes no progress is replaced, one that only waits is not, and one that is asked to end does."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bianmin.children import PROGRESS_SECONDS
from bianmin.engines import Engines
from shared.db import WORKER, Database
from tests.workers import (
    Inbox,
    Queue,
    busy,
    delivery,
    envelope,
    own_broker,
    pid,
    proxied,
    publish_people,
    queue_of,
    waiting,
    workers,
)
from tests.workers import broker_url as url_of

pytestmark = pytest.mark.journey


@pytest.fixture
def inbox(installation: str) -> Iterator[Inbox]:
    database = Database("finance", installation, pool_size=2, limits=WORKER)
    yield Inbox(database)
    database.engine.dispose()


@pytest.fixture
def hr(installation: str) -> Iterator[Database]:
    database = Database("hr", installation, pool_size=2, limits=WORKER)
    yield database
    database.engine.dispose()


@pytest.fixture
def queue(engines: Engines) -> Iterator[Queue]:
    with queue_of(engines.broker_url) as queue:
        yield queue


def test_a_worker_that_is_stopped_for_ever_is_replaced_and_nothing_is_lost_or_doubled(
    installation: str, engines: Engines, queue: Queue, inbox: Inbox, hr: Database, place: Path
) -> None:
    with workers(place) as running:
        running.start("hr", database_url=installation, broker_url=engines.broker_url)
        child = running.start("finance", database_url=installation, broker_url=engines.broker_url)
        publish_people(hr, 400)
        running.until("some to be handled", lambda: inbox.handled() > 0, seconds=30)
        first = child.process
        assert first is not None
        first.send_signal(signal.SIGSTOP)
        publish_people(hr, 100)
        running.until("everybody to be known", lambda: inbox.handled() == 500, seconds=60)
        assert (inbox.people(), child.kills) == (500, 1)
        assert first.returncode == -signal.SIGKILL
        assert "no progress for 10 s" in child.tail(10_000)


def test_a_worker_with_nothing_to_do_is_left_alone(
    installation: str, engines: Engines, queue: Queue, inbox: Inbox, place: Path
) -> None:
    with workers(place) as running:
        child = running.start("finance", database_url=installation, broker_url=engines.broker_url)
        first, began = pid(child), time.monotonic()
        running.until(
            "more than the patience to pass",
            lambda: time.monotonic() - began > 1.5 * PROGRESS_SECONDS,
            seconds=60,
        )
        assert (pid(child), child.kills) == (first, 0)
        good = envelope()
        queue.put(delivery(good))
        running.until("a message to be handled at last", lambda: inbox.handled(good.id) == 1, seconds=30)


def test_a_database_that_is_away_for_twenty_seconds_costs_no_kill_and_no_message(
    installation: str, engines: Engines, queue: Queue, inbox: Inbox, hr: Database, place: Path
) -> None:
    sockets = engines.data_socket.parent
    with (
        proxied(place / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432") as proxy,
        workers(place) as running,
    ):
        running.start("hr", database_url=installation, broker_url=engines.broker_url)
        child = running.start(
            "finance",
            database_url=installation.replace(str(sockets).replace("/", "%2F"), str(place).replace("/", "%2F")),
            broker_url=engines.broker_url,
        )
        publish_people(hr, 400)
        running.until("some to be handled", lambda: inbox.handled() > 0, seconds=30)
        first, began = pid(child), time.monotonic()
        proxy.down()
        publish_people(hr, 100)
        running.until("twenty seconds to pass", lambda: time.monotonic() - began > 20, seconds=30)
        proxy.heal()
        running.until("everybody to be known", lambda: inbox.handled() == 500, seconds=90)
        assert (inbox.people(), pid(child), child.kills) == (500, first, 0)


def test_a_busy_worker_that_is_asked_to_end_does_so_within_five_seconds_and_the_next_does_the_rest(
    installation: str, engines: Engines, queue: Queue, inbox: Inbox, place: Path
) -> None:
    ids = [envelope() for _ in range(200)]
    with workers(place) as running:
        queue.put(*(delivery(one) for one in ids))
        child = running.start("finance", database_url=installation, broker_url=engines.broker_url)
        running.until("some to be handled", lambda: inbox.handled() > 20, seconds=30)
        process = child.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert inbox.handled() < 200  # else it was not in the middle
        running.until("the next to handle the rest", lambda: inbox.handled() == 200, seconds=60)
        assert (inbox.people(), child.kills) == (200, 0)


def test_a_worker_whose_handler_and_broker_hang_still_ends_within_five_seconds(
    installation: str, committing: Engine, inbox: Inbox, place: Path
) -> None:
    with own_broker(place) as broker, workers(place) as running, queue_of(url_of(place)) as queue:
        child = running.start("finance", database_url=installation, broker_url=url_of(place))
        with busy(committing):
            queue.put(delivery(envelope()))
            running.until("the handler to wait for a lock", lambda: waiting(committing) == 1, seconds=30)
            process = child.process
            assert broker.process is not None
            assert process is not None
            broker.process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
        broker.process.send_signal(signal.SIGCONT)
        assert inbox.handled() == 0
