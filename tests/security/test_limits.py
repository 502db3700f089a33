"""How much a request may ask (ASVS 2.4.1, 4.1.3, 13.4.2, 16.5.1), over a real server, and over bare sockets."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from limits import parse
from sqlalchemy import text

from bianmin.children import wait_until
from shared import limits
from shared.ids import new_id
from shared.limits import BODY_SECONDS, MAX_DEPTH, MAX_PARTS, Counter, TooMuch, address_of, check_json
from shared.messages import Role
from shared.settings import settings
from tests.bad_input.house import House, web_of
from tests.people import employ


@pytest.fixture(autouse=True)
def _no_earlier_counts(installation: str) -> None:
    """What other tests asked does not count here."""
    broker = limits.broker_client(settings().broker_url)
    for key in broker.scan_iter("rate*"):
        broker.delete(key)


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Sets how often a person and an address may ask."""

    def set_(person: str, address: str) -> None:
        monkeypatch.setenv("BIANMIN_RATE_PERSON", person)
        monkeypatch.setenv("BIANMIN_RATE_ADDRESS", address)
        settings.cache_clear()

    return set_


def detail(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"]
    return answer.status_code, problem["type"].removeprefix("urn:bianmin:problem:")


def test_a_request_larger_than_any_of_ours_is_refused_before_it_is_read(open_house: Callable[[str], House]) -> None:
    client = open_house("intake").client
    json_ = {"Content-Type": "application/json"}
    million = b'{"site_id": "' + b"x" * 1_048_576 + b'"}'
    assert detail(client.post("/api/requests", content=million, headers=json_)) == (413, "body_too_large")
    chunks = (b"x" * 65_536 for _ in range(17))  # says no length beforehand
    assert detail(client.post("/api/requests", content=chunks, headers=json_)) == (413, "body_too_large")
    assert detail(client.get(f"/live?q={'x' * 8_192}")) == (414, "target_too_long")
    assert detail(client.get("/live?" + "&".join("a=1" for _ in range(51)))) == (414, "too_many_fields")
    assert detail(client.get("/live", headers={"X-A": "x" * 16_384})) == (431, "headers_too_large")
    assert detail(client.get("/live", headers={f"X-{n}": "x" for n in range(101)})) == (431, "headers_too_large")
    deep = b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)
    assert detail(client.post("/api/requests", content=deep, headers=json_)) == (413, "nested_too_deep")
    wide = json.dumps({"rows": [1] * MAX_PARTS}).encode()
    assert detail(client.post("/api/requests", content=wide, headers=json_)) == (413, "too_many_fields")


def test_a_request_as_large_as_any_of_ours_is_read(open_house: Callable[[str], House]) -> None:
    house = open_house("intake")
    rows = {number: {"description": "漏水" * 300, "windows": [{"start": [[[]]]}]} for number in range(500)}
    body = json.dumps({"rows": rows, "source": "s"}).encode()[:1_048_576]
    headers = {"Content-Type": "application/json", "Authorization": "Bearer administrator"}
    answer = house.client.post("/api/imports/requests", content=body, headers=headers)
    assert answer.status_code not in (413, 414, 429, 431)


def test_depth_is_that_of_brackets_outside_of_texts() -> None:
    check_json(b'{"a": "' + b"[" * 1000 + b'\\"' + b"{" * 1000 + b'"}')
    check_json(b"[]" * 1000)
    with pytest.raises(TooMuch, match="deep"):
        check_json(b'{"a": "\\\\"' + b"[" * MAX_DEPTH)
    check_json(b'"' * (MAX_PARTS // 2))


def test_looking_for_depth_looks_at_each_byte_once() -> None:
    """Texts that never end make a careless expression look at all of them again and again, here for hours."""
    for hostile in (b'"\\"' * 300_000, b'"' + b"\\" * 900_000, b'"' + b"a\\" * 450_000):
        with suppress(TooMuch):
            check_json(hostile)


@pytest.fixture
def port(installation: str) -> Iterator[int]:
    """The intake's web application at a port of its own."""
    server = uvicorn.Server(uvicorn.Config(web_of("intake"), port=0, log_config=None, lifespan="off", ws="none"))
    thread = Thread(target=server.run)
    thread.start()
    wait_until("the server to listen", lambda: server.started, seconds=30)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def said(connection: socket.socket) -> bytes:
    """Everything the server says until it closes."""
    answer = b""
    while chunk := connection.recv(65_536):
        answer += chunk
    return answer


def test_who_sends_his_body_too_slowly_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 1)
    head = b"POST /api/requests HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(60)
        slow.sendall(head)
        answer = said(slow)  # it answers and closes although 99 bytes never came
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert BODY_SECONDS <= 30


def test_who_says_a_large_body_comes_is_refused_before_it_does(port: int) -> None:
    head = b"POST /api/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as large:
        large.settimeout(60)
        large.sendall(head)
        assert said(large).startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))


def newcomer(house: House, role: Role) -> str:
    """The token of somebody who was never here before."""
    token = str(new_id())
    with house.session() as session:
        employ(session, role, "front_desk", house.site_id, token=token)
    return token


def test_a_person_is_counted_by_who_he_is_and_everybody_else_by_address(
    open_house: Callable[[str], House], rates: Callable[[str, str], None]
) -> None:
    house = open_house("intake")
    clerk, colleague = newcomer(house, "clerk"), newcomer(house, "clerk")
    rates("5/hour", "8/hour")
    busy = [house.get(clerk, "/requests").status_code for _ in range(8)]
    assert busy == [200] * 6 + [429] * 2, "the first of them proved who he is"
    refused = house.get(clerk, "/requests")
    assert detail(refused) == (429, "too_often")
    assert int(refused.headers["Retry-After"]) == 3600
    assert house.get(colleague, "/requests").status_code == 200, "his colleague is not refused"
    guesses = [house.get(f"guess {number}", "/requests").status_code for number in range(8)]
    assert guesses == [401] * 6 + [429] * 2, "the address asked twice before"
    assert house.client.get("/live").status_code == 429
    assert house.get(colleague, "/requests").status_code == 200, "who is known does not pay for his neighbour"


def test_a_credential_that_is_refused_is_no_longer_known(
    open_house: Callable[[str], House], rates: Callable[[str, str], None]
) -> None:
    house = open_house("intake")
    clerk = newcomer(house, "clerk")
    rates("1000/hour", "4/hour")
    assert house.get(clerk, "/requests").status_code == 200
    with house.session() as session:
        session.execute(text("UPDATE people SET active = false"))
    statuses = [house.get(clerk, "/requests").status_code for _ in range(5)]
    assert statuses == [401] * 4 + [429], "he was known the first time, and counted by his address afterwards"


def scope_of(client: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "client": (client, 1) if client else None, "headers": headers}


@contextmanager
def proxies(monkeypatch: pytest.MonkeyPatch, networks: str) -> Iterator[None]:
    monkeypatch.setenv("BIANMIN_TRUSTED_PROXIES", networks)
    settings.cache_clear()
    yield
    monkeypatch.delenv("BIANMIN_TRUSTED_PROXIES")
    settings.cache_clear()


def test_only_a_proxy_we_trust_is_believed_where_a_request_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address_of(scope_of("203.0.113.9", "10.0.0.1")) == "203.0.113.9"
    assert address_of(scope_of("127.0.0.1", "198.51.100.7")) == "127.0.0.1", "none is trusted unless it is said"
    with proxies(monkeypatch, "10.0.0.0/8, ::1"):
        assert address_of(scope_of("203.0.113.9", "198.51.100.7")) == "203.0.113.9"
        assert address_of(scope_of("10.0.0.2", "198.51.100.7")) == "198.51.100.7"
        assert address_of(scope_of("10.0.0.2", "1.1.1.1, 198.51.100.7, 10.0.0.3")) == "198.51.100.7"
        assert address_of(scope_of("10.0.0.2", "1.1.1.1", "198.51.100.7")) == "198.51.100.7"
        assert address_of(scope_of("::1", "2001:db8::7")) == "2001:db8::7"
        assert address_of(scope_of("10.0.0.2", "198.51.100.7, nonsense")) == "10.0.0.2"
        assert address_of(scope_of("10.0.0.2")) == "10.0.0.2"
        assert address_of(scope_of(None, "198.51.100.7")) == "local"


def test_a_forged_forwarded_for_escapes_no_limit(
    open_house: Callable[[str], House], rates: Callable[[str, str], None]
) -> None:
    client = open_house("intake").client
    rates("1000/hour", "3/hour")
    statuses = [client.get("/live", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_windows_are_shared_by_all_processes_and_kept_alone_while_redis_is_away(
    installation: str, logged: Callable[[], list[tuple[str, str]]]
) -> None:
    one, two = Counter(settings().broker_url), Counter(settings().broker_url)
    rate = parse("4/hour")
    assert [counter.hit(rate, "person:a") for counter in (one, two, one, two, one, two)] == [True] * 4 + [False] * 2
    alone = Counter("redis+socket:///nowhere/there-is-none")
    assert [alone.hit(rate, "person:a") for _ in range(6)] == [True] * 4 + [False] * 2
    assert logged() == [("error", "rates_counted_alone")]


def test_a_counter_returns_to_redis_when_it_answers_again(
    installation: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    logged: Callable[[], list[tuple[str, str]]],
) -> None:
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.0)
    place = tmp_path / "socket"
    scheme, account, there = re.split("(?<=://)|(?<=@)", settings().broker_url)
    counter = Counter(f"{scheme}{account}{place}")
    rate = parse("1/hour")
    assert counter.hit(rate, "person:b")
    place.symlink_to(there)
    assert counter.hit(rate, "person:b"), "the shared window has seen none of him"
    assert not counter.hit(rate, "person:b")
    assert logged() == [("error", "rates_counted_alone"), ("info", "rates_counted_together")]
