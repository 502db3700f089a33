"""Real workers under test: Celery in processes of their own, a broker of its own where it suffers, a proxy."""

import base64
import contextlib
import json
import selectors
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import Engine, text

from bianmin.children import Child, Supervisor, wait_until
from bianmin.engines import _broker_program
from bianmin.worker import worker
from shared.broker import broker_client
from shared.bus.outbox import Envelope, publish
from shared.db import Database
from shared.ids import new_id
from shared.log import new_traceparent
from shared.messages import PersonChanged
from tests.signed import signed


def person() -> PersonChanged:
    """A message of hr: each person is a row of his own at finance."""
    return PersonChanged(
        person_id=new_id(),
        version=1,
        name="周宁",
        role="worker",
        department="engineering",
        site_ids=[],
        all_sites=True,
        active=True,
        token_hash=f"{new_id().int:064x}",
    )


def envelope(message: PersonChanged | None = None) -> Envelope:
    """A message as it travels from hr to finance."""
    body = (message or person()).model_dump(mode="json")
    return Envelope(str(new_id()), "PersonChanged", "hr", "finance", new_traceparent(), body)


def task(name: str, body: Any, **changes: Any) -> dict[str, Any]:
    """A Celery task as it lies on the queue of finance; `changes` replace parts of it."""
    id_ = str(new_id())
    message = {
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": name, "id": id_, "root_id": id_, "retries": 0, "argsrepr": "-"},
        "properties": {
            "correlation_id": id_,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "finance"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(new_id()),
        },
    }
    return message | changes


def delivery(*envelopes: Envelope) -> dict[str, Any]:
    """Good envelopes, signed by their sender, as one task."""
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return task("finance.PersonChanged", [[], {"envelopes": [signed(e) for e in envelopes]}, embed])


@dataclass
class Queue:
    """The queue of finance, as a stranger with the broker's address sees it."""

    client: "redis.Redis"

    def put(self, *things: Any) -> None:
        """Put tasks, or anything else as bytes, at its end."""
        self.client.lpush("finance", *(t if isinstance(t, bytes) else json.dumps(t).encode() for t in things))

    def __len__(self) -> int:
        return int(self.client.llen("finance"))


@contextlib.contextmanager
def queue_of(broker_url: str) -> Iterator[Queue]:
    """The queue of finance at a broker, empty at first and at the end."""
    with broker_client(broker_url) as client:
        client.flushdb()
        yield Queue(client)  # not emptied when a test failed: what lies there may say why
        with contextlib.suppress(redis.exceptions.ConnectionError):
            client.flushdb()


@dataclass
class Inbox:
    """What finance holds."""

    database: Database

    def handled(self, *ids: str) -> int:
        """How many of these messages took effect; of all, when none is named."""
        with self.database.session() as session:
            return int(
                session.execute(
                    text("SELECT count(*) FROM inbox WHERE state = 'handled' AND (:all OR message_id = ANY(:ids))"),
                    {"all": not ids, "ids": [UUID(id_) for id_ in ids]},
                ).scalar_one()
            )

    def people(self) -> int:
        """How many people finance knows: the effects."""
        with self.database.session() as session:
            return int(session.execute(text("SELECT count(*) FROM people")).scalar_one())

    def unreadable(self) -> int:
        """How many things on the queue were counted as no message."""
        with self.database.session() as session:
            return int(session.execute(text("SELECT coalesce(sum(times), 0) FROM unreadable")).scalar_one())


@dataclass
class Workers:
    """Worker processes, kept running as `bianmin up` keeps them."""

    supervisor: Supervisor
    folder: Path

    def start(self, service: str, *, database_url: str, broker_url: str, **env: str) -> Child:
        """Start the worker of a service; its log is in the test's folder."""
        urls = {"BIANMIN_DATABASE_URL": database_url, "BIANMIN_BROKER_URL": broker_url, "MALLOC_ARENA_MAX": "2"}
        number = len(self.supervisor.children)
        child = worker(
            service,
            place=f"test-{number}",
            progress=self.folder / f"{service}-{number}.progress",
            log=self.folder / f"{service}-{number}.log",
            env=urls | env,
        )
        self.supervisor.children.append(child)
        self.supervisor.start(child)
        return child

    def until(self, what: str, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait, and keep them running meanwhile."""

        def watched() -> bool:
            self.supervisor.watch()
            return ready()

        wait_until(what, watched, seconds=seconds, every=0.1)


@contextlib.contextmanager
def workers(folder: Path) -> Iterator[Workers]:
    """No worker at first, and none at the end."""
    running = Workers(Supervisor([]), folder)
    try:
        yield running
    finally:
        for child in running.supervisor.children:
            if child.process is not None:
                child.process.send_signal(signal.SIGCONT)
        running.supervisor.stop()


def pid(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


@contextlib.contextmanager
def own_broker(folder: Path, *arguments: str) -> Iterator[Child]:
    """A broker of its own on the socket `folder`/b.sock and, when `arguments` say so, on a port."""
    program = [_broker_program(), "--port", "0", "--unixsocket", str(folder / "b.sock"), "--save", ""]
    child = Child("broker", [*program, "--appendonly", "no", *arguments], log=folder / "broker.log")
    start_broker(child, folder)
    try:
        yield child
    finally:
        child.stop()


def start_broker(child: Child, folder: Path) -> None:
    """Start it, and wait until it answers."""
    (folder / "b.sock").unlink(missing_ok=True)
    child.start()

    def answers() -> bool:
        try:
            with broker_client(broker_url(folder)) as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False

    wait_until("the broker to answer", answers, seconds=20)


def broker_url(folder: Path) -> str:
    return f"redis+socket://{folder / 'b.sock'}"


def publish_people(hr: Database, count: int) -> None:
    """Let hr say so many people; its worker sends them until finance has acknowledged each."""
    with hr.session() as session:
        publish(session, *(person() for _ in range(count)))


@contextlib.contextmanager
def busy(owner: Engine) -> Iterator[None]:
    """No handler of a person ends meanwhile: each waits for a lock."""
    with owner.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE finance.people IN ACCESS EXCLUSIVE MODE"))
        yield


def waiting(owner: Engine) -> int:
    """How many transactions wait for a lock."""
    with owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())


class Proxy:
    """Forwards a Unix socket to another, and can be down, or reset what carries data."""

    def __init__(self, here: Path, there: Path) -> None:
        self._here, self._there = here, there
        self._selector = selectors.DefaultSelector()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._down = False
        self._reset_data = False
        self.resets = 0
        self._stopping = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(here))
        here.chmod(0o777)
        self._listener.listen(64)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def down(self) -> None:
        """Drop every connection, and each that is tried."""
        self._down = True

    def reset_what_carries_data(self) -> None:
        """Drop each connection on which a client says anything but that it waits for messages."""
        self._reset_data = True

    def heal(self) -> None:
        self._down = self._reset_data = False

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()
        for end in list(self._pairs):
            self._drop(end)
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._stopping:
            if self._down:
                for end in list(self._clients):
                    self._drop(end)
            for key, _ in self._selector.select(timeout=0.05):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._pairs:
                    self._forward(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._there))
        except OSError:
            client.close()
            server.close()
            return
        self._clients.add(client)
        self._pairs |= {client: server, server: client}
        for end in (client, server):
            self._selector.register(end, selectors.EVENT_READ)
        if self._down:
            self._drop(client)

    def _forward(self, end: socket.socket) -> None:
        try:
            data = end.recv(65536)
            if self._reset_data and end in self._clients and data and b"BRPOP" not in data:
                self.resets += 1
                data = b""
            if data:
                self._pairs[end].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        other = self._pairs.pop(end)
        del self._pairs[other]
        for one in (end, other):
            self._selector.unregister(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
            self._clients.discard(one)


@contextlib.contextmanager
def proxied(here: Path, there: Path) -> Iterator[Proxy]:
    """A proxy that runs, and is ended."""
    proxy = Proxy(here, there)
    try:
        yield proxy
    finally:
        proxy.stop()
