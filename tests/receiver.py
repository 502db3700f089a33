"""The company's HR system as tests play it: a real HTTP server on this machine that answers as it is told."""

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True)
class Says:
    """One answer; `drip` seconds pass before each byte of the body, `wait` before anything is said;
    one that is `endless` says its body again and again.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait: float = 0
    drip: float = 0
    endless: bool = False


@dataclass(frozen=True)
class Got:
    """One request as it came, its header names in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """What it got, and what it will say next: the answers told, then 200."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.got: list[Got] = []
        self.says: list[Says] = []
        self.broken = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = receiver.says.pop(0) if receiver.says else Says()
                time.sleep(answer.wait)
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    if not answer.endless:
                        self.send_header("content-length", str(len(answer.body)))
                    self.end_headers()
                    while answer.endless:
                        self.wfile.write(answer.body)
                    for start in range(0, len(answer.body), 1 if answer.drip else len(answer.body)):
                        self.wfile.write(answer.body[start : start + 1] if answer.drip else answer.body)
                        time.sleep(answer.drip)
                except OSError:  # it was not waited for
                    receiver.broken += 1

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a hung-up TLS handshake
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hr"


@contextlib.contextmanager
def receiving(certificate: Path | None = None) -> Iterator[Receiver]:
    """A receiver that runs, and is ended."""
    receiver = Receiver(certificate)
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()
