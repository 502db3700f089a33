"""deploy/nginx.conf, on a real nginx: its own answers have the headers too, and it hides and vouches (ASVS 4.1.3)."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn

from bianmin.children import wait_until
from shared.db import SERVICES
from shared.settings import settings
from tests.bad_input.house import web_of
from tests.deploying.nginx import Nginx
from tests.security.test_headers import check_headers
from tests.security.test_limits import free_port

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def proxy(installation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """nginx before intake alone; the other services are away."""
    monkeypatch.setenv("BIANMIN_TRUSTED_PROXIES", "127.0.0.0/8")
    settings.cache_clear()
    config = uvicorn.Config(web_of("intake"), port=0, log_config=None, lifespan="off", ws="none", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    wait_until("intake to listen", lambda: server.started, seconds=30)
    secrets, nowhere = tmp_path / "secrets", free_port()
    subprocess.run(["sh", str(ROOT / "deploy/secrets.sh"), str(secrets)], check=True, capture_output=True)
    upstreams = dict.fromkeys(SERVICES, nowhere) | {"intake": server.servers[0].sockets[0].getsockname()[1]}
    nginx = Nginx(tmp_path / "nginx", secrets, free_port(), free_port(), upstreams)
    running = nginx.child()
    running.start()
    with httpx.Client(base_url=nginx.url, verify=nginx.trust, timeout=120) as client:
        wait_until("nginx to answer", lambda: answers(client), seconds=30)
        yield client
    running.stop()
    server.should_exit = True
    thread.join()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code > 0
    except httpx.TransportError:
        return False


def test_who_comes_in_plain_text_is_sent_to_the_same_place_by_tls_and_a_program_is_refused(
    tmp_path: Path, proxy: httpx.Client
) -> None:
    told = (tmp_path / "nginx/nginx.conf").read_text()
    (port,) = re.findall(r"listen 127\.0\.0\.1:(\d+);", told)
    answer = httpx.get(f"http://localhost:{port}/intake/live?q=1")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/intake/live?q=1")
    assert httpx.get(f"http://localhost:{port}/intake/api/requests").status_code == 403


def test_every_answer_of_the_proxy_has_every_header_once(proxy: httpx.Client) -> None:
    wanted = {
        "/intake/live": 200,
        "/intake/api/requests": 401,
        "/intake/nowhere": 404,
        "/nowhere": 404,
        "/finance/live": 502,
        "/intake/openapi.json": 404,
        "/intake/ops/metrics": 404,
        "/intake/ops/%6detrics": 404,
        "/intake/x/..//openapi.json": 404,
        f"/intake/live?q={'x' * 8_200}": 414,
    }
    for path, status in wanted.items():
        answer = proxy.get(path)
        assert answer.status_code == status, path
        check_headers(answer)
        assert "nginx/" not in answer.headers["server"]
    large = proxy.post("/intake/api/requests", content=b"x" * (9 * 2**20))
    assert large.status_code == 413
    check_headers(large)


def test_behind_the_proxy_a_person_has_his_own_address_and_says_none(
    proxy: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIANMIN_RATE_ADDRESS", "3/hour")
    monkeypatch.setenv("BIANMIN_TRUSTED_PROXIES", "127.0.0.0/8")
    settings.cache_clear()
    forged = [proxy.get("/intake/live", headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(8)]
    assert [answer.status_code for answer in forged][-3:] == [429] * 3
