"""What measures is itself tested: a limit that is exceeded is seen, an answer that is an error is counted."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.bench.figure import Figure, percentile
from tests.bench.load import Load, post, run


class _EveryThirdFails(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(409 if len(self.seen) % 3 == 0 else 201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    _EveryThirdFails.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _EveryThirdFails) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_figure_is_exceeded_above_its_limit_and_below_what_it_has_to_be_at_least() -> None:
    assert Figure("late", 3, "s", 2).exceeded
    assert not Figure("late", 2, "s", 2).exceeded
    assert Figure("ratio", 0.3, "", at_least=0.5).exceeded
    assert not Figure("ratio", 0.5, "", at_least=0.5).exceeded
    assert Figure("ratio", 0, "", at_least=0.5).exceeded
    assert not Figure("told", 99, "").exceeded


def test_a_limit_of_zero_allows_nothing() -> None:
    assert Figure("lost", 1, "", 0).exceeded
    assert not Figure("lost", 0, "", 0).exceeded


def test_the_load_generator_sends_each_request_once_and_counts_the_errors(server: ThreadingHTTPServer) -> None:
    requests = [post("/rows", {"number": number}) for number in range(30)]

    measured = run(Load(server.server_address[1], 4, requests))

    assert sorted(_EveryThirdFails.seen) == sorted(b'{"number": %d}' % number for number in range(30))
    assert measured.errors == 10
    assert measured.p99_ms >= measured.p50_ms > 0


def test_a_percentile_is_what_so_many_percent_do_not_exceed() -> None:
    assert percentile(range(101), 99) == 99
