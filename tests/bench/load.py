"""A load generator that costs little: keep-alive connections over bare sockets, in a process of its own.

`python -m tests.bench.load` says that it is ready, reads a Load as JSON from its standard input and prints a Measured.
"""

import json
import re
import selectors
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from statistics import median
from threading import Barrier
from time import perf_counter, process_time

from tests.bench.figure import percentile

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """Whole HTTP requests, sent by so many clients at a time: each sends its next when the last is answered."""

    port: int
    clients: int
    requests: list[str]


@dataclass(frozen=True)
class Measured:
    """What became of them; errors are answers that are no success."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    busy: float
    """The share of the time in which the generator itself used a core."""


def post(path: str, body: object, **headers: str) -> str:
    """A POST of JSON."""
    content = json.dumps(body)
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n{''.join(lines)}\r\n{content}"
    )


def run(load: Load, *, begin: Barrier | None = None) -> Measured:
    """Send the load from a process of its own; several that share `begin` start when all of their processes have."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        if ready and begin is not None:
            begin.wait(300)
        told, errors = process.communicate(json.dumps(asdict(load)) if ready else None, timeout=300)
    if process.returncode:
        raise RuntimeError(f"the load was not sent:\n{errors}")
    return Measured(**json.loads(told))


class _Client:
    """One connection and the request under way on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent_at = 0.0
        self._answer = b""

    def send(self, request: bytes) -> None:
        self._answer, self._sent_at = b"", perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[float, int] | None:
        """The seconds it took and the status, once the whole answer is there."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server hung up")
        self._answer += part
        head, end, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if end else None
        if length is None or len(body) < int(length[1]):
            return None
        return perf_counter() - self._sent_at, int(head[9:12])


def _send(load: Load) -> Measured:
    waiting = [request.encode() for request in reversed(load.requests)]
    took: list[float] = []
    errors = 0
    began, began_busy = perf_counter(), process_time()
    with selectors.DefaultSelector() as selector:
        for _ in range(min(load.clients, len(waiting))):
            client = _Client(load.port)
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(waiting.pop())
        while selector.get_map():
            for key, _ in selector.select():
                answered = key.data.receive()
                if answered is None:
                    continue
                took.append(answered[0])
                errors += not 200 <= answered[1] < 300
                if waiting:
                    key.data.send(waiting.pop())
                else:
                    selector.unregister(key.data.socket)
                    key.data.socket.close()
    seconds = perf_counter() - began
    busy = (process_time() - began_busy) / seconds
    return Measured(len(took) / seconds, 1000 * median(took), 1000 * percentile(took, 99), errors, busy)


if __name__ == "__main__":
    print("ready", flush=True)  # noqa: T201  # what the caller reads
    print(json.dumps(asdict(_send(Load(**json.load(sys.stdin))))))  # noqa: T201  # what the caller reads
