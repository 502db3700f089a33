"""A request to a stranger reaches that stranger alone, and ends in time."""

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from shared.outbound import Answer, Refused, Unreachable, is_public, post, target_of
from tests.receiver import Receiver, Says, receiving

CERTIFICATE = Path(__file__).parent / "hr.example.pem"
PUBLIC = "93.184.216.34"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def resolves(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Every name has these addresses, one answer after the other; the names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host and not str(host)[0].isdigit():
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[min(len(asked), len(answers)) - 1], port))]
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def send(url: str, *, seconds: float = 5, allow_private: bool = True) -> Answer:
    return post(
        url, body=b"{}", headers={"content-type": "application/json"}, seconds=seconds, allow_private=allow_private
    )


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:53aa:64c::1"),
    ],
)
def test_an_address_inside_or_of_no_single_host_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Refused):
        target_of(f"https://{host}/", allow_private=False)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://93.184.216.34/", "ftp://93.184.216.34/", "file:///etc/passwd", "https://", "https:///x", "x", ""),
        *("https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://0x7f.1/"),
        *("https://user@93.184.216.34/", "https://a:b@93.184.216.34/", "https://93.184.216.34/#x"),
        *(
            "https://93.184.216.34\\@127.0.0.1/",
            "https://93.184.216.34/a b",
            "https://93.184.216.34/\n",
            "https://物业/",
        ),
        *("https://93.184.216.34:0/", "https://93.184.216.34:99999/", "https://[::1%25lo]/", "https://hr.example./"),
        *("https://[/", "https://93.184.216.34/" + "x" * 1000),
    ],
)
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        target_of(url, allow_private=False)


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[::ffff:127.0.0.1]"])
def test_even_where_the_own_network_is_admitted_some_addresses_are_not(address: str) -> None:
    with pytest.raises(Refused):
        target_of(f"https://{address}/", allow_private=True)


def test_without_tls_only_this_machine_is_reached_and_only_where_that_is_admitted() -> None:
    assert target_of("http://127.0.0.1:8080/a?b", allow_private=True).addresses == ("127.0.0.1",)
    assert target_of("https://10.0.0.1/", allow_private=True).addresses == ("10.0.0.1",)
    for url, allow_private in (("http://127.0.0.1/", False), ("http://10.0.0.1/", True), (f"http://{PUBLIC}/", True)):
        with pytest.raises(Refused):
            target_of(url, allow_private=allow_private)


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in (PUBLIC, "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Refused, match="no address of the open internet"):
        target_of("https://hr.example/", allow_private=False)


def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Unreachable, match="not known"):
        target_of("https://hr.example/", allow_private=False)


def test_a_name_whose_address_changes_after_the_check_reaches_nobody_inside(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    asked = resolves(monkeypatch, PUBLIC, "127.0.0.1")
    target_of(f"https://hr.example:{receiver.port}/", allow_private=False)
    with pytest.raises(Refused):
        send(f"https://hr.example:{receiver.port}/", allow_private=False)
    assert asked == ["hr.example"] * 2
    assert receiver.got == []


def test_a_name_is_looked_up_once_and_its_certificate_proves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolves(monkeypatch, "127.0.0.1", "10.9.9.9")
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with receiving(CERTIFICATE) as receiver:
        assert send(f"https://hr.example:{receiver.port}/a?b=c").status == 200
        assert [(got.path, got.headers["host"]) for got in receiver.got] == [("/a?b=c", f"hr.example:{receiver.port}")]
        assert asked == ["hr.example"]


def test_a_certificate_of_another_name_or_of_nobody_known_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, "127.0.0.1")
    with receiving(CERTIFICATE) as receiver:
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            send(f"https://hr.example:{receiver.port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            send(f"https://pay.example:{receiver.port}/")
        assert receiver.got == []


def test_a_redirect_is_not_followed_and_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    receiver.says = [Says(302, {"Location": receiver.url + "/elsewhere"})]
    assert send(receiver.url).status == 302
    assert [got.path for got in receiver.got] == ["/hr"]


@pytest.mark.parametrize(
    "says", [Says(wait=3), Says(body=b"x" * 1000, drip=0.2)], ids=["says nothing", "says a byte now and then"]
)
def test_an_answer_that_takes_too_long_is_given_up(receiver: Receiver, says: Says) -> None:
    receiver.says = [says]
    with pytest.raises(Unreachable, match=r"no whole answer within 0\.5 s"):
        send(receiver.url, seconds=0.5)


def test_headers_sent_a_byte_now_and_then_are_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100:
                        connection.sendall(bytes([byte]))
                        threading.Event().wait(0.05)
                except OSError:
                    return

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        with pytest.raises(Unreachable, match="no whole answer"):
            send(f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=0.5)
        dripping.join()


def test_of_an_answer_that_never_ends_little_is_read_and_its_status_counts(receiver: Receiver) -> None:
    receiver.says = [Says(200, body=b"x" * 1000, endless=True)]
    assert send(receiver.url).status == 200


def test_what_it_asks_to_wait_is_told(receiver: Receiver) -> None:
    receiver.says = [Says(429, {"Retry-After": "7"}), Says(503)]
    assert [send(receiver.url), send(receiver.url)] == [Answer(429, "7"), Answer(503, "")]


@pytest.mark.parametrize("broken", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000])
def test_an_answer_that_is_none_is_no_answer(broken: bytes, receiver: Receiver) -> None:

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(broken)
                except OSError:
                    return

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        with pytest.raises(Unreachable):
            send(f"http://127.0.0.1:{server.getsockname()[1]}/")
        answering.join()


def test_nobody_listening_is_no_answer(receiver: Receiver) -> None:
    url = receiver.url
    receiver.server.shutdown()  # while it waits for a connection its closed socket still takes one
    receiver.server.server_close()
    with pytest.raises(Unreachable, match="ConnectError"):
        send(url)
