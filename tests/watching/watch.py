"""The real Prometheus and Alertmanager over an installation that runs, and whom they tell.

The rules are those of deploy/prometheus, copied with every `for` shortened to three seconds, so that a test waits for
the fault and not for patience; so are the intervals. Thresholds and expressions are as they are.
"""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml

from bianmin.children import wait_until
from tests.debian import needs
from tests.faults.house import NINE, House, open_house
from tests.receiver import Receiver, receiving

FOLDER = Path("deploy/prometheus")
SERVICES = ("intake", "dispatch", "finance", "hr")
PATIENCE = 240.0
ANYWHERE: Mapping[str, str] = {}
"""No label is asked for."""


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


def _nothing() -> None:
    """Only wait."""


@dataclass
class Watch:
    """An installation, watched."""

    house: House
    prometheus: str
    receiver: Receiver
    heard: int = 0
    """How many notifications of the webhook are of before."""

    def query(self, expr: str) -> list[Any]:
        """What an expression is now; fails where it is none."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expr}, timeout=30).json()
        assert answer["status"] == "success", f"{expr}: {answer}"
        result: list[Any] = answer["data"]["result"]
        return result

    def await_figure(self, expr: str) -> None:
        wait_until(f"{expr} to be something", lambda: self.query(expr) != [], seconds=PATIENCE, every=0.5)

    def alerts(self) -> list[dict[str, str]]:
        """The labels of the alerts Prometheus holds, waiting or firing."""
        alerts = httpx.get(f"{self.prometheus}/api/v1/alerts", timeout=30).json()["data"]["alerts"]
        return [alert["labels"] for alert in alerts]

    def forget(self) -> None:
        """What the webhook was told until now does not count any more."""
        self.heard = len(self.receiver.got)

    def told(self, status: str = "firing") -> list[dict[str, str]]:
        """The labels of what the webhook was told to be firing, or resolved."""
        alerts = [one for got in self.receiver.got[self.heard :] for one in json.loads(got.body)["alerts"]]
        return [one["labels"] for one in alerts if one["status"] == status]

    def await_told(
        self,
        alert: str,
        where: Mapping[str, str] = ANYWHERE,
        *,
        status: str = "firing",
        meanwhile: Callable[[], object] = _nothing,
    ) -> None:
        """Wait until the webhook was told of this, doing something again and again meanwhile."""

        def told() -> bool:
            meanwhile()
            return is_among(self.told(status), alert, where)

        wait_until(f"{alert} to be {status} at the webhook", told, seconds=PATIENCE, every=0.2)

    def await_over(self, alert: str, where: Mapping[str, str] = ANYWHERE) -> None:
        """Wait until Prometheus holds it no more."""
        wait_until(
            f"{alert} to be over", lambda: not is_among(self.alerts(), alert, where), seconds=PATIENCE, every=0.5
        )

    def await_quiet(self) -> None:
        """Wait until nothing is amiss."""
        wait_until("no alert to be left", lambda: self.alerts() == [], seconds=PATIENCE, every=0.5)

    @contextmanager
    def unsupervised(self) -> Iterator[None]:
        """Whoever would replace a process that hangs stands still."""
        os.kill(self.house.stack.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.house.stack.process.pid, signal.SIGCONT)

    @contextmanager
    def without_worker(self, service: str) -> Iterator[None]:
        """Its worker stands still, and is not replaced."""
        with self.unsupervised(), self.house.stopped(self.house.worker(service)):
            yield

    @contextmanager
    def owner(self, service: str) -> Iterator[psycopg.Connection]:
        """The database as nobody should have it: past all triggers. What is done is committed at the end."""
        url = self.house.owner_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute(f"SET search_path = {service}, installation")
            connection.execute("SET session_replication_role = replica")
            yield connection

    def violated(self) -> str:
        """Every invariant is recomputed: what is said of those that do not hold."""
        done = self.house.stack.bianmin("verify")
        return done.stdout + done.stderr if done.returncode else ""

    def verified(self) -> None:
        """Every invariant is recomputed, and holds."""
        said = self.violated()
        assert not said, said


def is_among(alerts: list[dict[str, str]], alert: str, where: Mapping[str, str]) -> bool:
    """Whether one of these has that name and those labels."""
    return any({"alertname": alert, **where}.items() <= labels.items() for labels in alerts)


def configured(folder: Path, *, port: int, token: str, alertmanager: int, base_url: str) -> Path:
    """The product's configuration, of this machine and impatient."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"}
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
    """A company with two sites, verified, and watched by both programs."""
    prometheus = needs("prometheus", "prometheus")
    alertmanager = needs("prometheus-alertmanager", "prometheus-alertmanager")
    port = free_ports(8)
    own, alerts, cluster = port + 5, port + 6, port + 7
    environment = {"BIANMIN_METRICS_PORT": str(port), "BIANMIN_DESCRIBE_PUBLICLY": "true"}
    with receiving() as told, open_house(folder, environment) as house:
        with house.stack.client() as client:
            token = client.post(
                house.cast.administrator,
                "/hr/api/tokens",
                name="Prometheus",
                scopes=[f"{service}:watch" for service in SERVICES],
                expires_at=(NINE + timedelta(days=30)).isoformat(),
            )["token"]
        base_url = house.address.base_url
        config = configured(folder, port=port, token=token, alertmanager=alerts, base_url=base_url)
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
            watch = Watch(house, f"http://127.0.0.1:{own}", told)
            # what is settled, and sealed, is so once every worker has begun
            wait_until("the invariants to hold", lambda: not watch.violated(), seconds=PATIENCE, every=1)

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
