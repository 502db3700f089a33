"""An installation that runs, watched by the real Prometheus: figures there, alerts true [promises 36, 37]."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from psycopg.types.json import Jsonb

from shared.ids import new_id
from tests.watching.watch import Watch, metrics_of, rules, watched

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with tempfile.TemporaryDirectory(prefix="bm-watch-") as folder:
        Path(folder).chmod(0o755)  # the database's user lives in it too
        with watched(Path(folder)) as watch:
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


def stop_a_worker(watch: Watch) -> None:
    """It stands still; the installation's supervisor replaces it after ten seconds."""
    watch.stack.worker("dispatch").suspend()
    watch.await_told("WorkerDown", service="dispatch")
    watch.await_told("WorkerDown", "resolved", service="dispatch")


def say_what_nobody_hears(watch: Watch) -> None:
    with watch.owner("hr") as owner:
        owner.execute(
            "INSERT INTO outbox (message_id, receiver, type, body, traceparent)"
            " VALUES (%s, 'intake', 'SiteChanged', %s, '')",
            (new_id(), Jsonb({})),
        )
    watch.await_told("MessagesParked", service="intake")
    with watch.owner("intake") as owner:
        owner.execute("DELETE FROM inbox WHERE type = 'SiteChanged' AND body = '{}'")


def forge_a_message(watch: Watch) -> None:
    with redis.Redis.from_url(watch.stack.broker_url.replace("redis+socket://", "unix://", 1)) as broker:
        broker.lpush("finance", "{}")
    watch.await_told("MessagesUnreadable", service="finance")
    # it is amiss for a quarter of an hour; nothing further is asked of its end


def let_the_broker_evict(watch: Watch) -> None:
    with redis.Redis.from_url(watch.stack.broker_url.replace("redis+socket://", "unix://", 1)) as broker:
        broker.config_set("maxmemory-policy", "allkeys-lru")
        watch.await_told("BrokerEvicts")
        broker.config_set("maxmemory-policy", "noeviction")


def stop_a_worker_for_good(watch: Watch) -> None:
    with watch.stopped("intake"), watch.stack.client() as client:
        client.post(watch.administrator, "/hr/api/sites", code="S2", name="二号小区")
        watch.await_told("MessagesUnacknowledged", service="hr", receiver="intake")


def stop_the_sender_for_good(watch: Watch) -> None:
    with watch.stopped("hr"), watch.stack.client() as client:
        client.post(watch.administrator, "/hr/api/sites", code="S3", name="三号小区")
        watch.await_told("MessagesUnsent", service="hr")


def unbalance_the_books(watch: Watch) -> None:
    journal = new_id()
    with watch.owner("finance") as owner:
        owner.execute(
            "INSERT INTO journals (id, site_id, kind, at, day, reference)"
            " SELECT %s, id, 'receipt', now(), current_date, 'forged' FROM sites LIMIT 1",
            (journal,),
        )
        owner.execute(
            "INSERT INTO journal_lines (journal_id, line, account, site_id, amount_fen)"
            " SELECT %s, 1, 'cash_in_hand', id, 100 FROM sites LIMIT 1",
            (journal,),
        )
        owner.execute(
            "INSERT INTO unsealed_journals (journal_id, due_at) VALUES (%s, now() + interval '1 day')", (journal,)
        )
    watch.await_told("BooksUnbalanced")
    assert watch.stack.bianmin("verify").returncode
    with watch.owner("finance") as owner:
        for table, key in (("unsealed_journals", "journal_id"), ("journal_lines", "journal_id"), ("journals", "id")):
            owner.execute(f"DELETE FROM {table} WHERE {key} = %s", (journal,))


FAULTS: list[Callable[[Watch], None]] = [
    stop_a_worker,
    say_what_nobody_hears,
    let_the_broker_evict,
    stop_a_worker_for_good,
    stop_the_sender_for_good,
    unbalance_the_books,
    forge_a_message,
]
"""The first runs in the ordinary suite, all in `make watching`."""


@pytest.mark.parametrize(
    "fault", FAULTS if os.environ.get("WATCHING_FAULTS") == "all" else FAULTS[:1], ids=lambda fault: fault.__name__
)
def test_a_real_fault_reaches_the_webhook(watch: Watch, fault: Callable[[Watch], None]) -> None:
    fault(watch)
