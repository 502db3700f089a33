"""What a process refuses to work with, and says so in one sentence."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from bianmin.engines import Engines
from bianmin.worker import worker
from shared import startup
from shared.broker import broker_client, broker_fault
from shared.db import SERVICES, WORKER, Database, database
from shared.settings import settings
from tests.conftest import START
from tests.debian import needs
from tests.workers import Inbox, broker_url, delivery, envelope, own_broker, pid, queue_of, start_broker, workers

ROOT = Path(__file__).parents[2]
LIMITED = ("statement", "lock")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("b")


def started(installation: str, broker: str, *before: str) -> subprocess.CompletedProcess[str]:
    """A worker of finance that ended by itself."""
    urls = {"BIANMIN_DATABASE_URL": installation, "BIANMIN_BROKER_URL": broker}
    argv = worker("finance", place="test", progress=Path(os.devnull), log=None).argv
    return subprocess.run(
        [*before, *argv], capture_output=True, text=True, env={**os.environ, **urls}, timeout=60, check=False
    )


@contextmanager
def at_version(owner: Engine, version: str) -> Iterator[None]:
    """The schema of finance says it is at another version meanwhile."""

    def become(other: str) -> None:
        with owner.begin() as connection:
            connection.execute(text("UPDATE finance.alembic_version SET version_num = :v"), {"v": other})

    become(version)
    try:
        yield
    finally:
        become(startup.newest_migration("finance"))


def one_behind() -> str:
    return f"{int(startup.newest_migration('finance')) - 1:04}"


@pytest.mark.parametrize("service", SERVICES)
def test_the_newest_migration_is_alembics_head(service: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [startup.newest_migration(service)]


def test_a_worker_refuses_a_database_that_is_one_migration_behind(
    installation: str, committing: Engine, engines: Engines
) -> None:
    with at_version(committing, one_behind()):
        done = started(installation, engines.broker_url)
    assert done.returncode == startup.REFUSED
    newest = startup.newest_migration("finance")
    sentence = f"the schema of finance is at version {one_behind()} and {newest} is needed: run `bianmin prepare`"
    assert done.stderr.splitlines()[-1] == sentence


def test_a_web_process_is_not_ready_until_its_database_is(installation: str, committing: Engine) -> None:
    web = import_module("services.finance.main").web  # it reads the settings as it is imported
    with TestClient(web) as client:
        with at_version(committing, one_behind()):
            answer = client.get("/ready")
            assert (answer.status_code, "run `bianmin prepare`" in answer.json()["detail"]) == (503, True)
        assert client.get("/ready").json() == {"service": "finance", "state": "ready", "broker": "answers"}


@pytest.mark.usefixtures("installation")
def test_a_web_process_goes_on_without_the_broker_and_says_that_it_is_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = import_module("services.finance.main").web
    with TestClient(web) as client:
        monkeypatch.setenv("BIANMIN_BROKER_URL", broker_url(folder))  # nobody is there yet
        settings.cache_clear()
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["broker"][:26]) == (200, "the broker does not answer")
        with own_broker(folder):
            assert client.get("/ready").json()["broker"] == "answers"


def test_a_database_that_is_ahead_is_accepted_while_an_upgrade_rolls(installation: str, committing: Engine) -> None:
    with at_version(committing, "9999"), database("finance").session() as session:
        assert startup.database_fault(session) is None


def test_a_worker_refuses_a_clock_that_differs_from_the_databases(installation: str, engines: Engines) -> None:
    done = started(installation, engines.broker_url, needs("faketime", "faketime"), "-f", "+300s")
    assert done.returncode == startup.REFUSED
    assert done.stderr.splitlines()[-1].startswith("the clocks of this machine and of the database are 300 s apart")


def test_a_worker_refuses_a_broker_that_may_drop_messages(installation: str, folder: Path) -> None:
    with own_broker(folder, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"):
        done = started(installation, broker_url(folder))
    assert done.returncode == startup.REFUSED
    assert done.stderr.splitlines()[-1] == (
        "the broker's maxmemory-policy is allkeys-lru, so it drops messages when it is full: set it to noeviction"
    )


def test_bianmin_up_says_what_its_workers_would_refuse(installation: str, folder: Path) -> None:
    with own_broker(folder, "--maxmemory-policy", "allkeys-lru"):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "bianmin", "up", "--data", str(folder / "data")),
                *("--port", "0", "--simulate", START.isoformat()),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "BIANMIN_DATABASE_URL": installation, "BIANMIN_BROKER_URL": broker_url(folder)},
            timeout=120,
            check=False,
        )
    assert done.returncode == startup.REFUSED
    assert "maxmemory-policy is allkeys-lru" in " ".join(done.stderr.split())


def test_a_broker_whose_acl_forbids_to_ask_is_accepted(installation: str, folder: Path) -> None:
    with own_broker(folder, "--maxmemory-policy", "allkeys-lru"):
        with broker_client(broker_url(folder)) as client:
            client.execute_command("ACL", "SETUSER", "default", "-info")
        assert broker_fault(broker_url(folder)) is None


def test_a_worker_waits_for_a_broker_that_does_not_answer_yet(installation: str, folder: Path) -> None:
    finance = Database("finance", installation, pool_size=2)
    with own_broker(folder) as broker, workers(folder) as running:
        broker.stop()
        child = running.start("finance", database_url=installation, broker_url=broker_url(folder))
        first = pid(child)
        running.until("it to say that it waits", lambda: "start_delayed" in child.tail(100), seconds=30)
        start_broker(broker, folder)
        good = envelope()
        with queue_of(broker_url(folder)) as queue:
            queue.put(delivery(good))
            running.until("a message to be handled", lambda: Inbox(finance).handled(good.id) == 1, seconds=20)
        assert (pid(child), child.restarts, child.kills) == (first, 0, 0)
    finance.engine.dispose()


def test_a_worker_waits_for_a_statement_and_a_lock_less_long_than_a_web_process(installation: str) -> None:
    def limits(of: Database) -> tuple[str, str]:
        with of.session() as session:
            statement, lock = (session.execute(text(f"SHOW {name}_timeout")).scalar_one() for name in LIMITED)
        return statement, lock

    assert limits(database("finance", WORKER)) == ("8s", "4s")
    assert limits(database("finance")) == ("30s", "10s")
