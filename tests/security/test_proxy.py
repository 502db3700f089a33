"""deploy/nginx.conf, on a real nginx: its own answers have the headers too, and it hides and vouches (ASVS 4.1.3)."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn

from bianmin.children import wait_until
from shared.settings import settings
from tests.bad_input.house import web_of
from tests.debian import needs
from tests.security.test_headers import check_headers
from tests.security.test_limits import free_port

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def proxy(installation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """nginx before intake alone; the other services are away."""
    nginx = needs("nginx", "nginx-light")
    monkeypatch.setenv("BIANMIN_TRUSTED_PROXIES", "127.0.0.0/8")
    settings.cache_clear()
    config = uvicorn.Config(web_of("intake"), port=0, log_config=None, lifespan="off", ws="none", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    wait_until("intake to listen", lambda: server.started, seconds=30)
    port, nowhere = free_port(), free_port()
    site = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8").replace("listen 8000", f"listen 127.0.0.1:{port}")
    site = site.replace("intake-web:8000", f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    for other in ("dispatch", "finance", "hr"):
        site = site.replace(f"{other}-web:8000", f"127.0.0.1:{nowhere}")
    inner = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    http = f"http {{ access_log off; {inner} {site} }}"
    (tmp_path / "nginx.conf").write_text(f"daemon off; pid {tmp_path}/pid; {user} events {{}} {http}")
    running = subprocess.Popen(
        [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "e")]
    )
    url = f"http://127.0.0.1:{port}"
    wait_until("nginx to answer", lambda: answers(url), seconds=30)
    yield url
    running.terminate()
    running.wait()
    server.should_exit = True
    thread.join()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code > 0
    except httpx.TransportError:
        return False


def test_every_answer_of_the_proxy_has_every_header_once(proxy: str) -> None:
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
        answer = httpx.get(proxy + path, timeout=120)
        assert answer.status_code == status, path
        check_headers(answer)
        assert "nginx/" not in answer.headers["server"]
    large = httpx.post(f"{proxy}/intake/api/requests", content=b"x" * (9 * 2**20), timeout=120)
    assert large.status_code == 413
    check_headers(large)


def test_behind_the_proxy_a_person_has_his_own_address_and_says_none(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIANMIN_RATE_ADDRESS", "3/hour")
    monkeypatch.setenv("BIANMIN_TRUSTED_PROXIES", "127.0.0.0/8")
    settings.cache_clear()
    forged = [
        httpx.get(f"{proxy}/intake/live", headers={"X-Forwarded-For": f"198.51.100.{n}"}, timeout=120) for n in range(8)
    ]
    assert [answer.status_code for answer in forged][-3:] == [429] * 3
