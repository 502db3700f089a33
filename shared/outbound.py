"""A request to a stranger's URL that can reach nothing but that stranger, and takes no longer than it may.

Every address of the host is checked and the connection goes to the address that was checked, so that a second answer
of the DNS is never asked for; TLS still proves the host's name. No redirect is followed and no proxy used. The time
given holds for all of it together.
"""

import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from time import monotonic
from urllib.parse import urlencode, urlsplit

import httpcore

Address = IPv4Address | IPv6Address

LONGEST_URL = 1000
MOST_BYTES = 64 * 1024
"""What is read of an answer's body whose status is what counts."""
MOST_BYTES_READ = 1024 * 1024
"""How long the body of an answer may be that is wanted whole."""

_PRINTABLE = re.compile(r"[!-\[\]-~]+")  # no space, no control character, no backslash
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# the last label starts with a letter: 2130706433, 127.1 and 0x7f.1 are addresses in disguise, not names

_PUBLIC_V6 = ip_network("2000::/3")
_INSIDE = tuple(
    ip_network(net)
    for net in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
)
"""A company's own network; never the link-local addresses at which clouds hand out their secrets."""


class Refused(Exception):
    """The URL may not be asked: its words say why."""


class Unreachable(Exception):
    """There was no answer: its words say why."""


@dataclass(frozen=True)
class Answer:
    """An answer's status and its Retry-After ('' when it has none)."""

    status: int
    retry_after: str


@dataclass(frozen=True)
class Reply:
    """An answer's status and its whole body."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Target:
    """A URL taken apart, and the checked addresses of its host."""

    url: httpcore.URL
    host: str
    addresses: tuple[str, ...]


def is_public(address: Address) -> bool:
    """Whether it is an address of the open internet; IPv6 addresses that carry an IPv4 one are not."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    return address in _PUBLIC_V6 and address.is_global and address.sixtofour is None and address.teredo is None


def target_of(url: str, *, allow_private: bool) -> Target:
    """Take a URL apart and look its host up, once. Raises Refused, and Unreachable when the host is not known.

    `allow_private` admits the company's own network, and http to this very machine.
    """
    if len(url) > LONGEST_URL or not _PRINTABLE.fullmatch(url):
        raise Refused(f"a URL has at most {LONGEST_URL} printable ASCII characters, without spaces and backslashes")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Refused(f"not a URL: {error}") from None
    if parts.scheme not in {"https", "http"} or "@" in parts.netloc or parts.fragment or "%" in host or port == 0:
        raise Refused("a URL like https://host/path is needed, without a user, a password or a fragment")
    port = port or (443 if parts.scheme == "https" else 80)
    addresses = _addresses(host, port)
    for address in addresses:
        if not (is_public(address) or (allow_private and any(address in net for net in _INSIDE))):
            raise Refused(f"{host} is no address of the open internet")
        if parts.scheme == "http" and not (allow_private and address.is_loopback):
            raise Refused("https is needed")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    asked = httpcore.URL(scheme=parts.scheme, host=host, port=port, target=path)
    return Target(asked, parts.netloc, tuple(map(str, addresses)))


def _addresses(host: str, port: int) -> list[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    if not _NAME.fullmatch(host):
        raise Refused("the host is neither a name nor an address in its usual spelling")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unreachable(f"{host} is not known") from None
    return [ip_address(str(address[0])) for *_, address in found]


def post(url: str, *, body: bytes, headers: dict[str, str], seconds: float, allow_private: bool) -> Answer:
    """Post `body` and give the answer. Raises Refused before anything is sent, and Unreachable."""
    ends = monotonic() + seconds
    target = target_of(url, allow_private=allow_private)
    with _asked("POST", target, target.url.target, headers, body, ends=ends, seconds=seconds) as response:
        _read(response, MOST_BYTES)
        told = {name.lower(): value for name, value in response.headers}
        return Answer(response.status, told.get(b"retry-after", b"").decode("latin-1"))


def ask(
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float,
    allow_private: bool,
) -> Reply:
    """Ask `url`, with `query` behind it, and read the whole answer.

    Raises Refused before anything is sent, and Unreachable, also for an answer of more than MOST_BYTES_READ.
    """
    ends = monotonic() + seconds
    target = target_of(url, allow_private=allow_private)
    path = target.url.target
    if query:
        path += (b"&" if b"?" in path else b"?") + urlencode(query).encode()
    with _asked(method, target, path, headers or {}, body, ends=ends, seconds=seconds) as response:
        read = _read(response, MOST_BYTES_READ + 1)
        if len(read) > MOST_BYTES_READ:
            raise Unreachable(f"the answer has more than {MOST_BYTES_READ} bytes")
        return Reply(response.status, read)


@contextmanager
def _asked(
    method: str, target: Target, path: bytes, headers: Mapping[str, str], body: bytes, *, ends: float, seconds: float
) -> Iterator[httpcore.Response]:
    """The answer of the target's checked addresses, as long as it is read. Raises Unreachable."""
    url = httpcore.URL(scheme=target.url.scheme, host=target.url.host, port=target.url.port, target=path)
    backend = _Pinned(target.addresses, ends)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
            pool.stream(method, url, headers=[*headers.items(), ("Host", target.host)], content=body) as response,
        ):
            yield response
    except httpcore.TimeoutException:
        raise Unreachable(f"no whole answer within {seconds:g} s") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:200]) from None


def _read(response: httpcore.Response, most: int) -> bytes:
    """The body, or what comes of it until there are `most` bytes."""
    read = bytearray()
    for chunk in response.iter_stream():
        read += chunk
        if len(read) >= most:
            break
    return bytes(read)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the checked addresses whatever is asked for, and lets nothing last beyond `ends`."""

    def __init__(self, addresses: Sequence[str], ends: float) -> None:
        self._addresses = addresses
        self._ends = ends

    def left(self) -> float:
        """Seconds that are left. Raises ReadTimeout when there are none."""
        left = self._ends - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return left

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002  # its name was looked up before
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the addresses that answers."""
        failure: httpcore.ConnectError | None = None
        for address in self._addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, self.left(), local_address, socket_options)
                return _Timed(stream, self)
            except httpcore.ConnectError as error:
                failure = error
        raise failure or httpcore.ConnectError("the host has no address")


class _Timed(httpcore.NetworkStream):
    """A stream on which every wait ends when the time of the whole request is over."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Pinned) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read some."""
        return self._stream.read(max_bytes, self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write all."""
        self._stream.write(buffer, self._clock.left())

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Prove the host's name, not the address's."""
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._clock.left()), self._clock)

    def get_extra_info(self, info: str) -> object:
        """What the stream underneath knows."""
        return self._stream.get_extra_info(info)
