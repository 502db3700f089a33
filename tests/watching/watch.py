"""The real Prometheus and Alertmanager over an installation that runs, and whom they tell.

The rules are those of deploy/prometheus, copied with every `for` shortened to three seconds, so that a test waits for
the fault and not for patience; so are the intervals. Thresholds and expressions are as they are.
"""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml

from bianmin.address import Address
from bianmin.children import wait_until
from bianmin.client import Person
from tests.debian import needs
from tests.receiver import Receiver, receiving
from tests.stack import RunningStack, running

FOLDER = Path("deploy/prometheus")
SERVICES = ("intake", "dispatch", "finance", "hr")
PATIENCE = 240.0


def free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    for first in range(20000 + os.getpid() % 20000, 60000, count):
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


def rules() -> list[dict[str, Any]]:
    """Every alert of the product."""
    return [rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]]


def metrics_of(expr: str) -> set[str]:
    """The metrics an expression asks."""
    return set(re.findall(r"\bbianmin_\w+", expr))


@dataclass
class Watch:
    """An installation with one site, watched."""

    stack: RunningStack
    administrator: Person
    prometheus: str
    told: Receiver

    def query(self, expr: str) -> list[Any]:
        """What an expression is now; fails where it is none."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expr}, timeout=30).json()
        assert answer["status"] == "success", f"{expr}: {answer}"
        result: list[Any] = answer["data"]["result"]
        return result

    def await_figure(self, expr: str) -> None:
        wait_until(f"{expr} to be something", lambda: self.query(expr) != [], seconds=PATIENCE, every=0.5)

    def firing(self) -> list[dict[str, str]]:
        """The alerts Prometheus holds, waiting or firing."""
        alerts = httpx.get(f"{self.prometheus}/api/v1/alerts", timeout=30).json()["data"]["alerts"]
        return [alert["labels"] for alert in alerts]

    def await_told(self, alert: str, status: str = "firing", **labels: str) -> None:
        """Wait until the webhook was told of this."""

        def told() -> bool:
            return any(
                one["status"] == status and {"alertname": alert, **labels}.items() <= one["labels"].items()
                for got in list(self.told.got)
                for one in yaml.safe_load(got.body)["alerts"]
            )

        wait_until(f"{alert} to be {status} at the webhook", told, seconds=PATIENCE, every=0.2)

    def await_quiet(self) -> None:
        """Wait until nothing is amiss."""
        wait_until("no alert to be left", lambda: self.firing() == [], seconds=PATIENCE, every=0.5)

    @contextmanager
    def stopped(self, service: str) -> Iterator[None]:
        """Its worker stands still, and whoever would replace it too."""
        worker = self.stack.worker(service)
        os.kill(self.stack.process.pid, signal.SIGSTOP)
        worker.suspend()
        try:
            yield
        finally:
            worker.resume()
            os.kill(self.stack.process.pid, signal.SIGCONT)

    @contextmanager
    def owner(self, service: str) -> Iterator[psycopg.Connection]:
        """The database as nobody should have it: past all triggers."""
        url = Address.read(self.stack.data).database_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute(f"SET search_path = {service}, installation")
            connection.execute("SET session_replication_role = replica")
            yield connection


def configured(folder: Path, *, port: int, token: str, alertmanager: int, base_url: str) -> Path:
    """The product's configuration, of this machine and impatient."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
    web, worker, figures = config["scrape_configs"]
    web["static_configs"] = [{"targets": [f"127.0.0.1:{port}"], "labels": {"service": "web"}}]  # one process for all
    worker["static_configs"] = [
        {"targets": [f"127.0.0.1:{port + place}"], "labels": {"service": service}}
        for place, service in enumerate(SERVICES, start=1)
    ]
    figures["authorization"] = {"credentials": token}
    figures["scrape_interval"], figures["scrape_timeout"] = "5s", "5s"
    figures["static_configs"] = [
        {
            "targets": [base_url.removeprefix("http://")],
            "labels": {"service": service, "__metrics_path__": f"/{service}/ops/metrics"},
        }
        for service in SERVICES
    ]
    copied = yaml.safe_load((FOLDER / "rules.yml").read_text())
    for group in copied["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "3s"
    (folder / "rules.yml").write_text(yaml.safe_dump(copied))
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


@contextmanager
def ran(log: Path, *command: str) -> Iterator[None]:
    """A program that runs, and is ended."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """A company with one site, verified, and watched by both programs."""
    prometheus = needs("prometheus", "prometheus")
    alertmanager = needs("prometheus-alertmanager", "prometheus-alertmanager")
    port = free_ports(8)
    own, alerts, cluster = port + 5, port + 6, port + 7
    told_where = {"BIANMIN_METRICS_PORT": str(port), "BIANMIN_DESCRIBE_PUBLICLY": "true"}
    with receiving() as told, running(folder / "data", environment=told_where) as stack:
        address = Address.read(stack.data)
        with stack.client() as client:
            made = client.post(
                None, "/hr/api/company", secret=address.founder_secret, name="便民", administrator="周宁"
            )
            administrator = Person(made["person_id"], "周宁", "administrator", made["token"])
            client.post(administrator, "/hr/api/sites", code="S1", name="一号小区")
            token = client.post(
                administrator,
                "/hr/api/tokens",
                name="Prometheus",
                scopes=[f"{service}:watch" for service in SERVICES],
                expires_at=(datetime.now(UTC) + timedelta(days=30)).isoformat(),  # noqa: TID251  # no simulation
            )["token"]
        # what is settled, and sealed, is so once every worker has begun
        wait_until("the invariants to hold", lambda: not stack.bianmin("verify").returncode, seconds=PATIENCE, every=1)
        config = configured(folder, port=port, token=token, alertmanager=alerts, base_url=address.base_url)
        routes = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
        routes["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        routes["route"]["routes"][0]["group_wait"] = "0s"
        routes["receivers"][0]["webhook_configs"][0]["url"] = told.url
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(routes))
        with (
            ran(
                folder / "alertmanager.log",
                alertmanager,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{alerts}",
                f"--cluster.listen-address=127.0.0.1:{cluster}",
            ),
            ran(
                folder / "prometheus.log",
                prometheus,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{own}",
            ),
        ):
            watch = Watch(stack, administrator, f"http://127.0.0.1:{own}", told)

            def ready() -> bool:
                try:
                    return httpx.get(f"{watch.prometheus}/-/ready").is_success
                except httpx.TransportError:
                    return False

            wait_until("Prometheus to answer", ready, seconds=PATIENCE)
            wait_until(
                "everything to be scraped", lambda: len(watch.query("up == 1")) == 9, seconds=PATIENCE, every=0.5
            )
            yield watch
