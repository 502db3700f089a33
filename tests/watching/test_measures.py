"""What a process counts itself, and how it is told."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from bianmin.gateway import make_app
from shared import measures


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_request_is_counted_by_the_template_of_its_route_and_never_by_its_path(installation: str) -> None:
    gateway = TestClient(make_app(), raise_server_exceptions=False)
    of_request = {"service": "intake", "method": "GET", "route": "/api/requests/{request_id}", "status": "4xx"}
    of_stranger = {"service": "intake", "method": "other", "route": measures.NO_ROUTE, "status": "4xx"}
    before = counted("bianmin_http_requests_total", **of_request), counted("bianmin_http_requests_total", **of_stranger)
    gateway.get("/intake/api/requests/0190c0de-0000-7000-8000-000000000000")
    gateway.request("STEAL", "/intake/wp-admin/张伟")
    after = counted("bianmin_http_requests_total", **of_request), counted("bianmin_http_requests_total", **of_stranger)
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
    spoken = str([sample for family in REGISTRY.collect() for sample in family.samples])
    assert "0190c0de" not in spoken
    assert "张伟" not in spoken


PROCESS = """
import sys
from shared import measures
end = measures.serve()
for _ in range(int(sys.argv[1])):
    measures.handled("hr", "SiteChanged", "handled", seconds=0.1)
print("told", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def process(installation: str, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    started: list[subprocess.Popen[str]] = []

    def start(count: int, **environment: str) -> subprocess.Popen[str]:
        one = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(count)],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(one)
        return one

    yield start
    for one in started:
        one.communicate("\n", timeout=60)


def lines_until_told(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    lines = []
    while not (line := process.stdout.readline()).startswith("told"):
        assert line, "it ended"
        lines.append(line)
    return lines


def scraped(port: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def test_processes_on_one_port_tell_what_all_of_them_counted(
    process: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    told = {"BIANMIN_METRICS_PORT": str(free_port()), measures.MULTIPROCESS: str(tmp_path)}
    for count in (2, 3):
        assert not lines_until_told(process(count, **told))
    for _ in range(10):  # whichever answers
        assert scraped(int(told["BIANMIN_METRICS_PORT"]))["bianmin_tasks_handled_total"] == 5


def test_a_port_that_is_taken_is_an_error_in_the_log_and_stops_nothing(
    process: Callable[..., subprocess.Popen[str]],
) -> None:
    port = str(free_port())
    assert not lines_until_told(process(1, BIANMIN_METRICS_PORT=port))
    (error,) = lines_until_told(process(1, BIANMIN_METRICS_PORT=port))
    assert "metrics_port_not_opened" in error
    assert scraped(int(port))["bianmin_tasks_handled_total"] == 1


def test_without_a_port_nothing_listens(installation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIANMIN_METRICS_PORT", raising=False)
    assert measures.serve.__wrapped__()() is None


def test_every_route_has_a_template_of_its_own(installation: str) -> None:
    """Whatever FastAPI keeps of a route, two routes are not counted as one."""
    client = TestClient(import_module("services.hr.main").web, raise_server_exceptions=False)
    for path in ("/live", "/static/nothing.css", "/api/people/7/tokens", "/ops/metrics", "/", "/people"):
        client.get(path)
    routes = {
        sample.labels["route"]
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "bianmin_http_requests_total" and sample.labels["service"] == "hr"
    }
    assert {"/live", "/static/{name}", "/api/people/{person_id}/tokens", "/ops/metrics", "/", "/people"} <= routes
