"""What changed, told to open pages within a moment: a stream that says only *that* something did.

Every audited change notifies PostgreSQL's channel of its service with its site (shared/audit_triggers.py). One
connection a process listens; each page's stream is told of his own sites, and the page asks again for what it shows,
so language, permissions and masks are those of any other request.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from shared.access import COMMON
from shared.credentials import Credential
from shared.db import database
from shared.errors import NotSignedIn, Problem
from shared.people import Actor
from shared.web import Edge, permissions, transaction

log = structlog.get_logger()

BEAT_SECONDS = 15.0
"""How often a quiet stream says that it lives, and its session is looked at."""
GATHER_SECONDS = 0.15
"""How long one change waits for others, so that a page asks once for many."""
PAUSE_SECONDS = 2.0
"""How long a process waits before it listens again after it lost the database."""

EVERYWHERE = ""
"""The site of a change that is of none."""


class NotAStream(Problem):
    """Only a stream is to be had here (406)."""

    status = 406


def channel(service: str) -> str:
    """The PostgreSQL channel of a service's changes."""
    return f"changed_{service}"


class Changes:
    """What this process hears of a service's changes, for as many streams as ask."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._heard: set[asyncio.Queue[str]] = set()
        self._listening: asyncio.Task[None] | None = None

    async def of(self, actor: Actor) -> AsyncIterator[bool]:
        """True when something of his sites changed, False when nothing did for a while."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._heard.add(queue)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        try:
            while True:
                yield await self._next(queue, actor)
        finally:
            self._heard.discard(queue)
            if not self._heard and self._listening is not None:
                self._listening.cancel()
                self._listening = None  # whoever asks next must not rely on one that is about to end

    async def _next(self, queue: asyncio.Queue[str], actor: Actor) -> bool:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                while not _his(await queue.get(), actor):
                    pass
        except TimeoutError:
            return False
        await asyncio.sleep(GATHER_SECONDS)
        while not queue.empty():
            queue.get_nowait()
        return True

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except psycopg.Error as error:
                log.warning("changes_not_heard", service=self._service, error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
            self._tell(EVERYWHERE)  # what changed meanwhile nobody knows

    async def _hear(self) -> None:
        async with await database(self._service).line() as line:
            await line.execute(f"LISTEN {channel(self._service)}".encode())
            async for said in line.notifies():
                self._tell(said.payload)

    def _tell(self, site: str) -> None:
        for queue in self._heard:
            queue.put_nowait(site)


def _his(site: str, actor: Actor) -> bool:
    return site == EVERYWHERE or actor.sees(UUID(site))


_changes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Changes]] = WeakKeyDictionary()


async def _stream(service: str, request: Request, actor: Actor, credential: Credential) -> AsyncIterator[str]:
    known = _changes.setdefault(asyncio.get_running_loop(), {})
    yield "retry: 2000\n\n"
    async for changed in known.setdefault(service, Changes(service)).of(actor):
        try:
            await transaction(service, request, credential.identify)
        except NotSignedIn:
            yield f"event: ended\ndata: {service}\n\n"
            return
        yield f"event: changed\ndata: {service}\n\n" if changed else ": beat\n\n"


def make_live(service: str) -> APIRouter:
    """The stream of a service's changes."""
    may = permissions(service, COMMON)
    routes = APIRouter(include_in_schema=False)

    @routes.get("/changes", summary="A stream that says when something changed at his sites")
    async def read_changes(edge: Annotated[Edge, may("read_may")], request: Request) -> StreamingResponse:
        if "text/event-stream" not in request.headers.get("accept", ""):
            raise NotAStream("not_a_stream", "only a stream is to be had here", allowed=["text/event-stream"])
        stream = _stream(service, request, edge.actor, edge.credential)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return routes
