"""Rules, alerts and runbooks: well-formed, each alert tried by promtool both ways, each runbook there [promise 36]."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from bianmin.cli import app
from tests.debian import needs
from tests.watching.dashboards import DASHBOARDS, made

FOLDER = Path("deploy/prometheus")
RUNBOOKS = Path("docs/runbooks.md")


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def succeeds(*command: str) -> None:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_well_formed_and_each_alert_passes_its_unit_tests() -> None:
    promtool = needs("promtool", "prometheus")
    succeeds(promtool, "check", "rules", "--lint-fatal", "rules.yml")
    succeeds(promtool, "test", "rules", "rules.test.yml")


def test_the_configurations_are_well_formed(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch()
    written = (FOLDER / "prometheus.yml").read_text()
    config = tmp_path / "prometheus.yml"
    config.write_text(written.replace("/run/secrets/metrics-token", str(token)))
    (tmp_path / "rules.yml").write_text((FOLDER / "rules.yml").read_text())
    succeeds(needs("promtool", "prometheus"), "check", "config", "--lint-fatal", str(config))
    succeeds(needs("amtool", "prometheus-alertmanager"), "check-config", "alertmanager.yml")


def test_each_alert_is_tried_when_it_must_fire_and_when_it_must_not() -> None:
    tried = {(case["name"]) for case in yaml.safe_load((FOLDER / "rules.test.yml").read_text())["tests"]}
    assert tried == {f"{rule['alert']} {how}" for rule in alerts() for how in ("fires", "is quiet")}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_each_alert_says_whom_it_wakes_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
    assert f"\n## {rule['alert']}\n" in RUNBOOKS.read_text()


def test_each_section_of_the_runbooks_is_an_alert_and_each_command_in_it_exists() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOKS.read_text(), re.M | re.S))
    assert sections.keys() - {"Token"} == {rule["alert"] for rule in alerts()}
    commands = get_command(app).commands  # type: ignore[attr-defined]
    services = yaml.safe_load(Path("docker-compose.yml").read_text())["services"]
    for name, section in sections.items():
        named = re.findall(r"(?:^ {4}|`)bianmin ([a-z-]+)(?: ([a-z]+))?", section, re.M)
        for command, second in named:
            assert command in commands, name
            assert not second or second in commands[command].commands, name
        for service in re.findall(r"^ {4}docker compose (?:logs|exec|restart)(?: --\w+ \w+)? ([a-z-]+)", section, re.M):
            assert service in services, name
        assert name == "Token" or re.search(r"^ {4}\S", section, re.M), f"{name} names no command"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_dashboards_are_what_their_generator_makes(name: str) -> None:
    assert Path(f"deploy/grafana/{name}.json").read_text() == made(name), "python -m tests.watching.dashboards"


def test_every_dashboard_has_a_generator() -> None:
    assert {path.stem for path in Path("deploy/grafana").glob("*.json")} == DASHBOARDS.keys()
