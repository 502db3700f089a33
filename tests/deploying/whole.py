"""docker-compose.yml runs: every command, user, secret, volume, name and health check of it, in its order.

`make deploying`, for it takes minutes; the suite does not collect it by itself.
"""

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from bianmin.children import wait_until
from shared.db import SERVICES
from tests.deploying.contained import COMPOSE, NAME, Containers, containers

WEBS = tuple(f"{service}-web" for service in SERVICES)
WORKERS = tuple(f"{service}-worker" for service in SERVICES)
RUN = ("postgres", "wal-receiver", "redis", "prepare", *WEBS, *WORKERS, "verify", "proxy")
STAYS = tuple(name for name in RUN if name != "prepare")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes namespaces")


@pytest.fixture(scope="module")
def installation() -> Iterator[Containers]:
    place = Path(tempfile.mkdtemp(prefix="bm-compose-", dir="/var/tmp"))
    place.chmod(0o755)
    with containers(place, *RUN) as running:
        yield running


@pytest.fixture
def browser(installation: Containers) -> Iterator[httpx.Client]:
    """What knows the installation's own authority and typed its name."""
    trust = ssl.create_default_context(cafile=str(installation.secrets / "ca.pem"))
    where = f"https://{installation.addresses['proxy']}:8443"
    with httpx.Client(base_url=where, verify=trust, timeout=60, headers={"Host": NAME}) as client:
        client.event_hooks["request"].append(lambda request: request.extensions.update(sni_hostname=NAME))
        yield client


@pytest.mark.parametrize("name", STAYS)
def test_what_stays_is_healthy(installation: Containers, name: str) -> None:
    installation.await_condition(name, "service_healthy")


def test_a_company_founded_through_the_proxy_is_known_to_every_service_by_message(
    installation: Containers, browser: httpx.Client
) -> None:
    founded = browser.post(
        "/hr/api/company",
        json={
            "secret": (installation.secrets / "founder-secret").read_text().strip(),
            "name": "便民物业",
            "administrator": "管理员 王工",
        },
    )
    assert founded.status_code == 201, founded.text
    for service in SERVICES:
        query = "SELECT count(*) FROM hr.outbox WHERE receiver = %s AND acknowledged_at IS NOT NULL"
        if service == "hr":
            continue
        with owner(installation) as connection:
            wait_until(
                f"{service} to have acknowledged",
                lambda: connection.execute(query, [service]).fetchone() != (0,),  # noqa: B023  # asked within the loop
                seconds=90,
                every=0.2,
            )
    token = {"Authorization": f"Bearer {founded.json()['token']}"}
    for service in SERVICES:
        answer = browser.get(f"/{service}/ops/bus", headers=token)
        assert answer.status_code in {200, 403}, (service, answer.text)  # known, whatever he may
        assert browser.get(f"/{service}/ops/bus", headers={"Authorization": "Bearer x"}).status_code == 401


def owner(installation: Containers) -> psycopg.Connection:
    return psycopg.connect(
        host=str(installation.place / "volumes/socket"), user="bianmin", dbname="bianmin", autocommit=True
    )


def test_nothing_is_answered_in_plain_text(installation: Containers) -> None:
    answer = httpx.get(f"http://{installation.addresses['proxy']}:8080/hr/?a=1", headers={"Host": NAME})
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{NAME}/hr/?a=1")
    done = installation.inside("redis", ["redis-cli", "-p", "6379", "ping"])
    assert "PONG" not in done.stdout


@pytest.mark.parametrize("name", STAYS)
def test_a_process_can_write_nowhere_else_and_gain_nothing(installation: Containers, name: str) -> None:
    told = dict(
        line.split(":\t", 1) for line in installation.inside(name, ["cat", "/proc/self/status"]).stdout.splitlines()
    )
    assert {told[kind].strip("0") for kind in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {""}
    assert told["NoNewPrivs"] == "1"
    for folder in ("/", "/etc", "/usr/bin", "/run/secrets", str(Path(__file__).parent)):
        assert installation.inside(name, ["touch", f"{folder}/x"]).returncode != 0, folder
    assert installation.inside(name, ["touch", "/tmp/x"]).returncode == 0


@pytest.mark.parametrize("name", STAYS)
def test_a_process_has_its_own_secrets_and_keys_alone(installation: Containers, name: str) -> None:
    given = [one if isinstance(one, str) else one["target"] for one in COMPOSE["services"][name].get("secrets", [])]
    assert sorted(installation.inside(name, ["ls", "/run/secrets"]).stdout.split()) == sorted(given)
    service, _, process = name.partition("-")
    if process == "worker":
        assert installation.inside(name, ["ls", "/keys"]).stdout.split() == sorted([service, "public"])


def test_kedas_account_is_told_how_long_a_queue_is_by_its_script_and_can_do_nothing_else(
    installation: Containers,
) -> None:
    """The script is as KEDA's: it asks what kind of key it is, then its length."""
    script = "local kind = redis.call('type', KEYS[1]).ok; return kind == 'hash' and 0 or redis.call('llen', KEYS[1])"

    def asked(*command: str) -> str:
        password = (installation.secrets / "scaler-broker-password").read_text().strip()
        login = [
            "--tls",
            "--cacert",
            "/run/secrets/ca.pem",
            "--user",
            "scaler",
            "--pass",
            password,
            "--no-auth-warning",
        ]
        return installation.inside("redis", ["redis-cli", *login, *command]).stdout

    assert asked("eval", script, "1", "hr").strip().isdigit()
    take = "return redis.call('lpop', KEYS[1])"
    for refused in (("eval", take, "1", "hr"), ("eval", script, "1", "held-hr"), ("lrange", "hr", "0", "-1")):
        assert re.search("NOPERM|can't", asked(*refused)), refused


def test_the_proxy_knows_neither_database_nor_broker(installation: Containers) -> None:
    known = installation.inside("proxy", ["cat", "/etc/hosts"]).stdout
    assert "hr-web" in known
    assert "postgres" not in known
    assert "redis" not in known


def test_guesses_of_a_password_are_counted_across_a_restart_of_redis(
    installation: Containers, browser: httpx.Client
) -> None:
    def guess() -> int:
        return browser.post("/hr/api/sessions", json={"login": "wang", "password": "绝不会是这个密码吧"}).status_code

    answers = [guess() for _ in range(20)]
    assert (answers[0], answers[-1]) == (401, 429)
    redis = installation.children["redis"]
    redis.stop()
    redis.start()
    installation.await_condition("redis", "service_healthy")
    assert guess() == 429
