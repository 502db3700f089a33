"""The worker as a container runs it: `python -m bianmin.worker finance`, and the probe of Kubernetes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import yaml
from sqlalchemy import Engine, text

from bianmin.children import wait_until
from bianmin.engines import Engines
from shared.db import WORKER, Database
from tests.workers import Inbox, delivery, envelope, queue_of

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]


@contextmanager
def container(installation: str, engines: Engines, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process a container would run; what it and its worker say goes to `log`."""
    urls = {"BIANMIN_DATABASE_URL": installation, "BIANMIN_BROKER_URL": engines.broker_url}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bianmin.worker", "finance"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **urls},
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def celery_of(process: "subprocess.Popen[bytes]") -> psutil.Process:
    children: list[psutil.Process] = []

    def runs() -> bool:
        children[:] = psutil.Process(process.pid).children()
        return len(children) == 1

    wait_until("the worker to run", runs, seconds=20)
    return children[0]


def test_it_replaces_a_worker_that_is_stopped_and_ends_with_it_within_five_seconds(
    installation: str, engines: Engines, tmp_path: Path
) -> None:
    inbox = Inbox(Database("finance", installation, pool_size=2, limits=WORKER))
    with queue_of(engines.broker_url) as queue, container(installation, engines, tmp_path / "log") as process:
        first, good = celery_of(process), envelope()
        queue.put(delivery(good))
        wait_until("a message to be handled", lambda: inbox.handled(good.id) == 1, seconds=40)
        first.send_signal(signal.SIGSTOP)
        wait_until("the stopped worker to be killed", lambda: not first.is_running(), seconds=40)
        second, good = celery_of(process), envelope()
        queue.put(delivery(good))
        wait_until("the next message to be handled", lambda: inbox.handled(good.id) == 1, seconds=40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert not second.is_running()
    inbox.database.engine.dispose()


def test_a_worker_that_may_not_work_ends_it_with_the_same_exit_code_and_sentence(
    installation: str, engines: Engines, committing: Engine, tmp_path: Path
) -> None:
    with committing.begin() as connection:
        held = connection.execute(text("DELETE FROM finance.alembic_version RETURNING version_num")).scalar_one()
    try:
        with container(installation, engines, tmp_path / "log") as process:
            assert process.wait(60) == 2
        assert "the schema of finance is at version none" in (tmp_path / "log").read_text()
    finally:
        with committing.begin() as connection:
            connection.execute(text("INSERT INTO finance.alembic_version VALUES (:held)"), {"held": held})


def test_the_supervisor_is_light() -> None:
    code = "import bianmin.worker, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"typer", "sqlalchemy", "httpx", "celery", "kombu", "redis", "pydantic"} & set(loaded)


def test_the_probe_of_kubernetes_tells_progress_from_none(tmp_path: Path) -> None:
    manifests = yaml.safe_load_all((ROOT / "deploy/kubernetes/finance.yaml").read_text(encoding="utf-8"))
    (deployment,) = [
        one for one in manifests if one["kind"] == "Deployment" and one["metadata"]["name"] == "finance-worker"
    ]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    file = tmp_path / "progress"

    def alive(probe: str) -> bool:
        command = [part.replace("/tmp/progress", str(file)) for part in container[probe]["exec"]["command"]]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert not alive("startupProbe")
    file.touch()
    assert alive("startupProbe")
    assert alive("livenessProbe")
    subprocess.run(["touch", "-d", "-31 seconds", str(file)], check=True)
    assert not alive("livenessProbe")
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment["BIANMIN_PROGRESS_FILE"] == "/tmp/progress"
