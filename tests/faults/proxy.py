"""A line that can be bad: a TCP proxy on loopback before an engine's Unix socket, or before a port."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Literal

Mode = Literal["pass", "hole", "delay", "trickle", "reset", "away"]

CHUNK = 65536
TRICKLE_BYTES = 200
TRICKLE_SECONDS = 0.1
"""Two kilobytes a second."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket whose closing is a TCP reset."""

AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """See the module. In `mode`:

    hole     nothing passes, and nothing is closed
    delay    each piece takes 20 to 300 ms
    trickle  two kilobytes a second on each connection
    reset    every connection is reset, new ones too
    away     every connection is reset, new ones are told HTTP 503, as a web server does in front of one that is down
    """

    def __init__(self, upstream: Path | int, *, seed: int = 1) -> None:
        self.upstream = upstream
        self.mode: Mode = "pass"
        self.resets = 0
        self.told_away = 0
        self._chance = Random(seed)
        self._lines: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self._busy: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._await(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _await(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def become(self, mode: Mode) -> None:
        """Be as good or bad as that from now on."""
        self.mode = mode
        if mode in ("reset", "away"):
            self.reset()

    def reset(self, *, busy: bool = False) -> int:
        """Reset the connections there are, or those alone that carried data since the last look; returns how many."""
        return int(self._await(self._reset(busy=busy)))

    def look(self) -> None:
        """From here on a connection that carries data is a busy one."""
        self._loop.call_soon_threadsafe(self._busy.clear)

    def close(self) -> None:
        """End, and all connections with it."""
        self.reset()
        self._await(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reset(self, *, busy: bool) -> int:
        lines = [writer for writer in self._lines if not busy or writer in self._busy]
        for writer in lines:
            self._tear(writer)
        self.resets += len(lines)
        return len(lines)

    def _tear(self, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.transport.abort()
        server = self._lines.get(client)
        if server is not None:
            server.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "reset":
            self._tear(writer)
            return
        if self.mode == "away":
            with suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(AWAY)
                await writer.drain()
                self.told_away += 1
            writer.close()
            return
        try:
            upstream_reader, upstream_writer = await self._connect()
        except OSError:
            self._tear(writer)
            return
        self._lines[writer] = upstream_writer
        there = asyncio.create_task(self._carry(reader, upstream_writer, writer))
        back = asyncio.create_task(self._carry(upstream_reader, writer, writer))
        try:
            await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            del self._lines[writer]
            self._busy.discard(writer)
            writer.close()
            upstream_writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.upstream, int):
            return await asyncio.open_connection("127.0.0.1", self.upstream)
        return await asyncio.open_unix_connection(str(self.upstream))

    async def _carry(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, line: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(TRICKLE_BYTES if self.mode == "trickle" else CHUNK):
                while self.mode == "hole":
                    await asyncio.sleep(0.05)
                if self.mode == "delay":
                    await asyncio.sleep(self._chance.uniform(0.02, 0.3))
                if self.mode == "trickle":
                    await asyncio.sleep(TRICKLE_SECONDS)
                self._busy.add(line)
                to.write(piece)
                await to.drain()
