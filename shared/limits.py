"""How much a request may ask of us, decided before anything of it is parsed [promise 23].

Its line, its headers, its body, the time its body takes to come, how deep and how many-parted its JSON is, and how
often somebody asks. A person is counted by who he is, once he proved it to this process; everybody else by address.
The counts are moving windows in the broker's Redis, so that all processes share them; while that is away, or where the
broker is RabbitMQ, each process counts alone, and nobody is refused for it.
"""

import asyncio
import re
from collections import OrderedDict
from functools import cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Lock
from time import monotonic
from typing import cast
from uuid import UUID

import structlog
from fastapi.concurrency import run_in_threadpool
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import IPvAnyNetwork
from redis import RedisError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.broker import broker_client, is_rabbitmq
from shared.errors import Problem
from shared.problems import problem
from shared.settings import settings

log = structlog.get_logger()

PERSON = "bianmin.person"
"""Where the edge notes in the scope of a request who proved to be asking: his id."""

MAX_TARGET_BYTES = 8_192
MAX_QUERY_FIELDS = 50
MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 100
MAX_BODY_BYTES = 1_048_576
MAX_IMAGE_BYTES = 8 * 1_048_576
"""Of a body that is an image, or a form with one in it; which routes take one is theirs (shared/uploads.py)."""
MAX_DEPTH = 20
"""How deep lists and objects of a JSON body may lie in each other."""
MAX_PARTS = 100_000
"""Names, texts, brackets and commas of a JSON body."""
BODY_SECONDS = 15
"""A body that has not come after so long is not waited for."""
AWAY_SECONDS = 10.0
"""How long Redis is not asked again after it did not answer."""
KNOWN = 10_000
"""How many credentials a process remembers the persons of."""


class TooMuch(Problem):
    """The request asks more than anybody may; it was not read (408, 413, 414, 431)."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.status = status


class TooOften(Problem):
    """Somebody asks more often than anybody may (429); `wait_seconds` later he certainly may again."""

    status = 429

    def __init__(self, detail: str, wait_seconds: int) -> None:
        super().__init__("too_often", detail)
        self.wait_seconds = wait_seconds


class Limits:
    """Refuses what is too large, too slow, too deep or too often, before the application inside it sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._known: OrderedDict[bytes, UUID] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        credential = _credential(scope)
        try:
            check_head(scope)
            await self._check_rate(scope, credential)
            receive = await _read(scope, receive)
        except TooMuch as refused:
            close = {"Connection": "close"}  # what is left of the request is not read
            wait = {"Retry-After": str(BODY_SECONDS)} if refused.status == 413 else {}
            await problem(refused.status, refused.code, refused.detail, headers=close | wait)(scope, receive, send)
            return
        except TooOften as refused:
            answer = problem(429, refused.code, refused.detail, headers={"Retry-After": str(refused.wait_seconds)})
            await answer(scope, receive, send)
            return

        async def send_noticing(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._notice(scope, credential, cast("int", message["status"]))
            await send(message)

        await self.app(scope, receive, send_noticing)

    async def _check_rate(self, scope: Scope, credential: bytes) -> None:
        person = self._known.get(credential)
        if person is None:
            rate, who = settings().rate_address, f"address:{network_of(address_of(scope))}"
        else:
            rate, who = settings().rate_person, f"person:{person}"
        item = _rate(rate)
        if not await run_in_threadpool(counter(settings().broker_url).hit, item, who):
            log.warning("too_often", person=str(person) if person else None, address=address_of(scope))
            raise TooOften(f"no more than {rate.replace('/', ' in a ')}", item.get_expiry())

    def _notice(self, scope: Scope, credential: bytes, status: int) -> None:
        """Remember whose credential it was, as far as the application found out, and forget one it refuses."""
        if PERSON in scope and credential:
            self._known[credential] = scope[PERSON]
            self._known.move_to_end(credential)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
        elif status == 401:
            self._known.pop(credential, None)


async def check_often(what: str, rate: str) -> None:
    """Count one use of something (`what` names it, and is no secret). Raises TooOften beyond its own rate."""
    item = _rate(rate)
    if not await run_in_threadpool(counter(settings().broker_url).hit, item, what):
        raise TooOften(f"no more than {rate.replace('/', ' in a ')}", item.get_expiry())


def check_head(scope: Scope) -> None:
    """Raises TooMuch for a target, a query or headers larger than any of ours."""
    target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if target > MAX_TARGET_BYTES:
        raise TooMuch(414, "target_too_long", f"path and query may have {MAX_TARGET_BYTES} bytes")
    if scope["query_string"].count(b"&") >= MAX_QUERY_FIELDS:
        raise TooMuch(414, "too_many_fields", f"a query may have {MAX_QUERY_FIELDS} fields")
    headers = scope["headers"]
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
        raise TooMuch(431, "headers_too_large", f"{MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes together at most")


async def _read(scope: Scope, receive: Receive) -> Receive:
    """The whole body, within its bounds, as the application will receive it. Raises TooMuch."""
    headers = Headers(scope=scope)
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return receive  # no body follows
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    limit = MAX_IMAGE_BYTES if kind.startswith(("image/", "multipart/")) else MAX_BODY_BYTES
    too_large = TooMuch(413, "body_too_large", f"a body of this kind may have {limit} bytes")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limit:
        raise too_large
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _collect(receive, limit, too_large)
    except TimeoutError:
        raise TooMuch(408, "body_too_slow", f"a body has to come within {BODY_SECONDS} seconds") from None
    if body is None:
        return _left
    if kind.endswith("json"):
        check_json(body)
    return _replaying(body, receive)


async def _collect(receive: Receive, limit: int, too_large: TooMuch) -> bytes | None:
    """The body; None when whoever sent it went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large
        if not message.get("more_body", False):
            return bytes(body)


async def _left() -> Message:
    return {"type": "http.disconnect"}


def _replaying(body: bytes, receive: Receive) -> Receive:
    """A `receive` that tells the body first, and then what the server tells."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


_PARTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
"""A text, ended or not, or a bracket or comma outside of texts: each byte is looked at once."""


def check_json(body: bytes) -> None:
    """Raises TooMuch for JSON that is too deep or has too many parts; whether it is JSON at all is not asked."""
    depth = 0
    for number, part in enumerate(_PARTS.finditer(body)):
        if number >= MAX_PARTS:
            raise TooMuch(413, "too_many_fields", f"a JSON body may have {MAX_PARTS} names, values and brackets")
        start = body[part.start()]
        depth += (start in b"[{") - (start in b"]}")
        if depth > MAX_DEPTH:
            raise TooMuch(413, "nested_too_deep", f"lists and objects may lie {MAX_DEPTH} deep in each other")


def _credential(scope: Scope) -> bytes:
    """What the request proves itself with, as a digest; nothing when it does not even try."""
    shown = b"\0".join(value for name, value in scope["headers"] if name in {b"authorization", b"cookie"})
    return sha256(shown).digest() if shown else b""


def address_of(scope: Scope) -> str:
    """Where a request came from: the peer or, where that is a proxy we trust, the last address it vouches for.

    `X-Forwarded-For` is read from its end, through trusted proxies only; what anybody else wrote before is his word.
    """
    address = scope["client"][0] if scope.get("client") else "local"
    claimed = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
    while claimed and _trusted(address):
        before = _parsed(claimed.pop().strip())
        if before is None:
            break
        address = str(before)
    return str(address)


def _parsed(words: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(words)
    except ValueError:
        return None


def _trusted(address: str) -> bool:
    parsed = _parsed(address)
    networks: tuple[IPvAnyNetwork, ...] = settings().trusted_proxies
    return parsed is not None and any(parsed in network for network in networks)


def network_of(address: str) -> str:
    """The address as it is counted: who has one of IPv6 has 2^64 of them."""
    parsed = _parsed(address)
    return str(IPv6Network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


_rate = cache(parse)


class Counter:
    """Moving windows in Redis, shared by all processes; while it does not answer, in this process alone.

    RabbitMQ keeps no counts: where it is the broker, they are always this process's own.
    """

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url
        self._alone = is_rabbitmq(broker_url)
        self._shared: MovingWindowRateLimiter | None = None
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away_until: float | None = None
        self._lock = Lock()

    def hit(self, rate: RateLimitItem, who: str) -> bool:
        """Count one request of somebody; whether it is within the rate."""
        if self._alone:
            return self._own.hit(rate, who)
        if self._away_until is None or monotonic() >= self._away_until:
            if self._away_until is not None:
                self._away_until = monotonic() + AWAY_SECONDS  # this one asks; the others do not wait with it
            try:
                within = self._redis().hit(rate, who)
            except (RedisError, OSError) as error:
                self._gone(error)
            else:
                self._answers()
                return within
        return self._own.hit(rate, who)

    def _redis(self) -> MovingWindowRateLimiter:
        with self._lock:
            if self._shared is None:
                pool = broker_client(self._url).connection_pool
                storage = RedisStorage("redis://", connection_pool=pool, key_prefix="rate")
                self._shared = MovingWindowRateLimiter(storage)
            return self._shared

    def _gone(self, error: Exception) -> None:
        if self._away_until is None:
            log.error("rates_counted_alone", error=type(error).__name__)
        self._away_until = monotonic() + AWAY_SECONDS

    def _answers(self) -> None:
        if self._away_until is not None:
            self._away_until = None
            log.info("rates_counted_together")


@cache
def counter(broker_url: str) -> Counter:
    """The windows at this broker, as this process knows them."""
    return Counter(broker_url)
