"""docker-compose.yml as a whole: what each service of it must say, and that what it names is there.

That it runs is tests/deploying/whole.py (`make deploying`).
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bianmin.broker_accounts import ACCOUNTS
from shared.db import SERVICES
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
ENDS = ("prepare", "backup")
"""They do one thing and end, so that no health check would be asked."""
EXACT = re.compile(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)*")
SECRETS = "/run/secrets/"

every_service = pytest.mark.parametrize("name", COMPOSE["services"])


def settings_of(service: dict[str, Any]) -> set[str]:
    """What it is told, in its environment or by files that are named like settings."""
    files = [one["target"] for one in service.get("secrets", []) if isinstance(one, dict)]
    return {name.lower() for name in (*service.get("environment", {}), *files) if name.lower().startswith("bianmin_")}


def test_it_is_a_compose_file_by_the_specifications_own_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, "docker-compose.yml"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wrong = subprocess.run(
        [*command, "-"], input="services: {a: {imag: x}}", capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1, "the schema is not looked at"


def test_it_runs_every_service_and_no_other() -> None:
    services = COMPOSE["services"]
    assert set(services) == {
        "postgres",
        "wal-receiver",
        "backup",
        "redis",
        "prepare",
        "verify",
        "proxy",
        "prometheus",
        "alertmanager",
        "flower",
    } | {f"{service}-{process}" for service in SERVICES for process in ("web", "worker")}
    for service in SERVICES:
        web, worker = services[f"{service}-web"], services[f"{service}-worker"]
        assert web["command"][:2] == ["uvicorn", f"services.{service}.main:web"]
        assert worker["command"] == ["python", "-m", "bianmin.worker", service]
        proxied = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
        assert re.search(rf"location /{service}/ +{{ proxy_pass http://{service}-web:8000/; }}", proxied)
    assert "noeviction" in services["redis"]["command"]


@every_service
def test_each_is_contained_and_bounded(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert ("cap_add" in service) == (name == "backup")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ({"backup": "no", "prepare": "on-failure"}.get(name, "unless-stopped"))
    for bound in ("mem_limit", "cpus", "pids_limit"):
        assert service[bound], bound
    assert (service["healthcheck"] == {"disable": True}) == (name in ENDS)
    assert "privileged" not in service
    assert service["networks"]
    root = {"backup", "wal-receiver"}
    assert (str(service.get("user", "10001")).split(":")[0] in {"root", "0"}) == (name in root)


@every_service
def test_each_image_is_ours_or_named_by_its_exact_version(name: str) -> None:
    image = COMPOSE["services"][name]["image"]
    assert image == "bianmin:latest" or EXACT.fullmatch(image), image
    assert ("build" in COMPOSE["services"][name]) == (image == "bianmin:latest")


def test_every_secret_is_used_and_every_used_one_is_defined() -> None:
    used = {
        one if isinstance(one, str) else one["source"]
        for service in COMPOSE["services"].values()
        for one in service.get("secrets", [])
    }
    assert used == set(COMPOSE["secrets"])


@every_service
def test_each_path_of_a_secret_that_it_names_is_one_it_is_given(name: str) -> None:
    service = COMPOSE["services"][name]
    given = {one if isinstance(one, str) else one["target"] for one in service.get("secrets", [])}
    named = set(
        re.findall(rf"{SECRETS}([\w.-]+)", yaml.safe_dump([service.get(part) for part in ("environment", "command")]))
    )
    if name == "proxy":
        named |= set(re.findall(rf"{SECRETS}([\w.-]+)", (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")))
    if name == "redis":
        named |= {f"{account}-broker-password" for account in ACCOUNTS}  # deploy/redis/start.sh reads them
    assert named <= given


@every_service
def test_each_setting_it_is_told_exists(name: str) -> None:
    known = {f"bianmin_{field}" for field in Settings.model_fields}
    assert settings_of(COMPOSE["services"][name]) <= known


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_is_told_its_own_passwords_alone(service: str) -> None:
    for process in ("web", "worker"):
        told = settings_of(COMPOSE["services"][f"{service}-{process}"])
        assert {name for name in told if "password" in name} == {f"bianmin_{service}_database_password"}
        assert ("bianmin_founder_secret" in told) == ((service, process) == ("hr", "web"))


@every_service
def test_what_it_mounts_and_whom_it_waits_for_is_there(name: str) -> None:
    service = COMPOSE["services"][name]
    for volume in service.get("volumes", []):
        source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        if source.startswith("./"):
            assert volume.endswith(":ro")
            assert (ROOT / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]
    assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])
    assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_only_the_proxy_is_reached_from_outside_and_database_and_broker_reach_nobody() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert [name for name, ports in published.items() if not all(port.startswith("127.") for port in ports)] == [
        "proxy"
    ]
    assert COMPOSE["networks"]["data"]["internal"] is COMPOSE["networks"]["inner"]["internal"] is True
    for name in ("postgres", "redis", "wal-receiver", "backup"):
        assert COMPOSE["services"][name]["networks"] == ["data"]
    for name in ("proxy", "prometheus", "alertmanager"):
        assert "data" not in COMPOSE["services"][name]["networks"]


def test_no_service_has_a_password_in_an_environment_or_a_command() -> None:
    for name, service in COMPOSE["services"].items():
        said = yaml.safe_dump([service.get(part) for part in ("environment", "command")])
        assert not re.search(r"://[^/\s]*:[^/\s]*@", said), name
        assert "${" not in said, name
