"""The other commands, on the installation in which the month was lived."""

import json
from pathlib import Path

import httpx
import pytest

from bianmin.address import Address
from bianmin.children import wait_until
from tests.journeys.conftest import LivedMonth

pytestmark = pytest.mark.journey
ROOT = Path(__file__).parent.parent.parent


def test_audit_says_what_it_checked_and_ends_with_0(lived_month: LivedMonth) -> None:
    done = lived_month.stack.bianmin("audit", "2026-04")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every split is 50 35 15" in done.stdout
    assert "✗" not in done.stdout


def test_status_shows_every_service_and_deadline(lived_month: LivedMonth) -> None:
    done = lived_month.stack.bianmin("status")
    assert done.returncode == 0, done.stderr
    for word in ("intake", "dispatch", "finance", "hr", "callback", "revisit"):
        assert word in done.stdout


def test_a_file_imported_twice_is_stored_once(lived_month: LivedMonth, tmp_path: Path) -> None:
    mapping = (ROOT / "examples/nyc311.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(mapping.replace('source = "nyc311"', 'source = "another"'), encoding="utf-8")
    arguments = ("import", str(ROOT / "examples/nyc311.csv"), "--mapping", str(other))
    first, second = (lived_month.stack.bianmin(*arguments) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert figures(first.stdout) == {"registered": 90, "refused": 404, "known": 0, "malformed": 6}
    assert figures(second.stdout) == {"registered": 0, "refused": 0, "known": 494, "malformed": 6}
    assert "row 2: address: incident_address is empty" in first.stdout


def figures(table: str) -> dict[str, int]:
    rows = [line.strip("│ ").split("│") for line in table.splitlines() if line.startswith("│")]
    return {name.strip(): int(count) for name, count in rows}


def test_a_file_that_is_no_table_is_one_error_with_exit_code_2(lived_month: LivedMonth) -> None:
    picture = ROOT / "LICENSE"
    done = lived_month.stack.bianmin("import", str(picture), "--mapping", str(ROOT / "examples/nyc311.toml"))
    assert done.returncode == 2
    assert "columns" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_start_in_the_same_folder_is_refused(lived_month: LivedMonth) -> None:
    done = lived_month.stack.bianmin("up")
    assert done.returncode == 2
    assert "runs in" in done.stderr


def test_one_trace_runs_from_the_web_request_through_every_task_into_every_log_line(
    lived_month: LivedMonth,
) -> None:
    """A site is opened: hr's web, then a task in each of the three others, then hr again for their acknowledgement."""
    trace = "0123456789abcdef0123456789abcdef"
    address, administrator = Address.read(lived_month.stack.data), lived_month.stack.people()["administrator"]
    answer = httpx.post(
        f"{address.base_url}/hr/api/sites",
        json={"code": "TRACE", "name": "踪迹小区"},
        headers={
            "Authorization": f"Bearer {administrator.token}",
            "Idempotency-Key": trace,
            "traceparent": f"00-{trace}-0123456789abcdef-01",
        },
    )
    assert (answer.status_code, answer.headers["X-Trace-Id"]) == (201, trace)
    auditor = lived_month.stack.people()["auditor"]
    with lived_month.stack.client() as client:
        sent = [m for m in client.pages(auditor, "/hr/ops/sent") if m["trace"] == trace]
    assert {(m["type"], m["receiver"]) for m in sent} == {
        ("SiteChanged", service) for service in ("intake", "dispatch", "finance")
    }

    def events(log: str) -> list[str]:
        lines = (lived_month.stack.data / "logs" / log).read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["event"] for line in lines if trace in line]

    def heard_by_all() -> bool:
        return all("message_received" in events(f"worker-{s}.log") for s in ("intake", "dispatch", "finance"))

    wait_until("the three services to log the message under its trace", heard_by_all, seconds=30)
    assert events("web.log") == ["http_request"]
