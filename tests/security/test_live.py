"""The stream of changes tells each person of his own sites, tells nothing but that, and ends with his session."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from bianmin.children import wait_until
from shared.ui import live
from tests.bad_input.house import OTHER, House, house_of
from tests.bad_input.of_intake_desk import FORM

PATIENCE_SECONDS = 60
"""How long a test waits for what must come."""


class Stream:
    """An open stream of somebody's, and what it said so far."""

    def __init__(self) -> None:
        self.status = 0
        self.said = ""
        self._more = asyncio.Condition()

    async def send(self, message: Any) -> None:
        """What the application says."""
        async with self._more:
            self.status = message.get("status", self.status)
            self.said += message.get("body", b"").decode()
            self._more.notify_all()

    async def until(self, word: str, times: int = 1) -> None:
        """Wait until it said so, so many times."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._more:
            await self._more.wait_for(lambda: self.said.count(word) >= times)


@asynccontextmanager
async def stream_of(house: House, token: str) -> AsyncIterator[Stream]:
    """The stream that somebody opens at the service."""
    stream, gone = Stream(), asyncio.Event()
    headers = [
        (b"host", b"localhost"),
        (b"accept", b"text/event-stream"),
        (b"authorization", f"Bearer {token}".encode()),
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/changes", "raw_path": b"/changes", "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 50000), "server": ("localhost", 80),
    }  # fmt: skip

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    asked = asyncio.ensure_future(house.client.app(scope, receive, stream.send))
    try:
        await stream.until("retry")
        yield stream
    finally:
        gone.set()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)


async def register(house: House, who: str) -> None:
    """Somebody at this person's site registers a request."""
    site_id = house.other_site_id if who.endswith(OTHER) else house.site_id
    await asyncio.to_thread(house.did, who, "/requests", FORM | {"site_id": str(site_id)})


async def listened(house: House) -> None:
    """Wait until the process hears what the database tells."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with house.session() as session:
                found = session.execute(
                    text("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN changed_intake'")
                ).scalar_one()
            if found:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def house(installation: str) -> Iterator[House]:
    with house_of("intake") as house:
        yield house


def test_a_change_at_another_site_is_not_told(house: House) -> None:
    async def tell() -> None:
        async with stream_of(house, "clerk") as ours, stream_of(house, "clerk" + OTHER) as theirs:
            await listened(house)
            for times in (1, 2):  # by the second, ours would long have been told of the first
                await register(house, "clerk" + OTHER)
                await theirs.until("event: changed", times)
            assert "changed" not in ours.said
            await register(house, "clerk")
            await ours.until("event: changed")
            assert set(ours.said.split("\n\n")) <= {"retry: 2000", "event: changed\ndata: intake", ": beat", ""}

    asyncio.run(tell())


def test_whoever_leaves_is_told_nothing_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)

    async def leave() -> None:
        async with stream_of(house, "clerk") as stream:
            await stream.until("beat")
            with house.session() as session:
                session.execute(text("UPDATE people SET active = false WHERE name = 'clerk'"))
            await stream.until("event: ended")
            assert stream.said.endswith("event: ended\ndata: intake\n\n")

    asyncio.run(leave())


def test_whoever_leaves_while_it_opens_leaves_no_connection_behind(house: House) -> None:
    async def come_and_go() -> None:
        for steps in range(20):
            stream = live.Changes("intake").of(house.people["clerk"])
            waiting = asyncio.ensure_future(anext(stream))
            for _ in range(steps):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await stream.aclose()

    asyncio.run(come_and_go())
    gc.collect()  # a connection that is only forgotten is an error here
    listening = text("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN changed_intake'")

    def nobody_listens() -> bool:
        with house.session() as session:
            return session.execute(listening).scalar_one() == 0

    wait_until("the connections to end", nobody_listens, seconds=PATIENCE_SECONDS)


def test_nobody_opens_it_without_proving_who_he_is(house: House) -> None:
    assert house.client.get("/changes", headers={"Accept": "text/event-stream"}).status_code == 401
