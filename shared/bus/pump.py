"""The pump: one thread in every worker that keeps a service's messages moving.

It sends what the outbox holds, acknowledges what the inbox holds and puts waiting messages back on our queue. Any
number of pumps may run: rows are claimed with SKIP LOCKED. It wakes on a NOTIFY from a committed transaction, when a
handler of this process is done, and otherwise once a second.
"""

import contextlib
import os
import select
import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import structlog
from celery import Celery
from kombu import Producer
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError as DatabaseError

from shared import clock, measures, tracing
from shared.broker import AWAY, Broker
from shared.bus import inbox, outbox
from shared.bus.keys import NoKey
from shared.bus.signature import Signatures
from shared.bus.ticker import Ticker
from shared.db import Database
from shared.ids import new_id

log = structlog.get_logger()

ACKNOWLEDGED = "acknowledged"
"""Name of the task by which a receiver tells a sender what it holds."""

INTERRUPTIONS: tuple[type[Exception], ...] = (
    DatabaseError,
    psycopg.OperationalError,
    BrokerError,
    KombuError,
    OSError,
    *AWAY,
)
"""The database or the broker is away, or either line broke: the pump begins anew."""

BEAT_SECONDS = 1.0
GATHER_SECONDS = 0.01
PAUSE_SECONDS = 1.0


def acknowledged(database: Database, delivery: dict[str, Any], *, signatures: Signatures) -> str:
    """Close the outbox rows a receiver says it holds; raises ValueError when it is not he who says so."""
    envelope = signatures.verified(delivery, task=ACKNOWLEDGED)
    ids = [UUID(id_) for id_ in envelope.body["ids"]]
    with database.session() as session:
        outbox.acknowledge(session, receiver=envelope.sender, ids=ids)
    return "handled"


class Pump:
    """See the module. `start` and `stop` are called by the worker, `poke` by its message handlers."""

    def __init__(self, app: Celery, database: Database, ticker: Ticker, signatures: Signatures, broker: Broker) -> None:
        self._app = app
        self._broker = broker
        self._database = database
        self._signatures = signatures
        self._ticker = ticker
        self._stopping = threading.Event()
        self._poke_reader, self._poke_writer = os.pipe()
        os.set_blocking(self._poke_writer, False)
        os.set_blocking(self._poke_reader, False)
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        """Begin to pump, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round under way; nothing is lost by ending in the middle either."""
        self._stopping.set()
        self.poke()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def poke(self) -> None:
        """A handler is done: there is something to acknowledge."""
        with contextlib.suppress(BlockingIOError):  # a pipe full of pokes wakes the pump anyway
            os.write(self._poke_writer, b"x")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._pump_until_broken()
            except INTERRUPTIONS as error:
                log.warning("pump_interrupted", service=self._database.service, error=type(error).__name__)
                self._stopping.wait(PAUSE_SECONDS)
            except NoKey as error:  # what is due stays in the outbox until there is one
                log.error("pump_has_no_key", service=self._database.service, reason=str(error))
                self._stopping.wait(PAUSE_SECONDS)
            except Exception:  # a defect must not end the only thing that moves messages
                log.exception("pump_failed", service=self._database.service)
                self._stopping.wait(PAUSE_SECONDS)

    def _pump_until_broken(self) -> None:
        raw = self._database.engine.raw_connection()
        listening: Any = raw.driver_connection
        raw.detach()
        try:
            listening.autocommit = True
            listening.execute(f"LISTEN {outbox.channel(self._database.service)}")
            listening.execute(f"LISTEN {clock.CHANNEL}")
            with self._app.connection_for_write() as connection:
                producer = self._app.amqp.Producer(connection)
                while not self._stopping.is_set():
                    self._send(producer)
                    self._wait(listening)
        finally:
            listening.close()

    def _wait(self, listening: Any) -> None:
        ready, _, _ = select.select([listening.fileno(), self._poke_reader], [], [], BEAT_SECONDS)
        if ready == [self._poke_reader]:
            self._stopping.wait(GATHER_SECONDS)  # several handlers at once are one acknowledgement
        if self._poke_reader in ready:
            os.read(self._poke_reader, 4096)
        if any(notify.channel == clock.CHANNEL for notify in listening.notifies(timeout=0)):
            self._ticker.wake()

    def _send(self, producer: Producer) -> None:
        """Send everything due; a crash between sending and committing sends again, and the inbox absorbs it."""
        while True:
            with self._database.session() as session:
                due = outbox.take_due(session)
                early = inbox.take_retries(session)
                acknowledgements = inbox.take_acknowledgements(session)
                if not (due or early or acknowledgements):
                    return
                repeated_to = {envelope.receiver for envelope in due if envelope.sends > 1}
                long = {name for name in repeated_to if self._broker.length(name) > outbox.LONG_QUEUE}
                with producer.batch():
                    for together in outbox.group(outbox.hold_back(session, due, queues=long) + early):
                        self._put_messages(producer, together)
                    for sender, ids in acknowledgements.items():
                        self._put(
                            producer, sender, ACKNOWLEDGED, self._signatures.sign(self._acknowledgement(sender, ids))
                        )
            if len(due) < outbox.BATCH:
                return

    def _put_messages(self, producer: Producer, envelopes: Sequence[outbox.Envelope]) -> None:
        with tracing.sending(self._database.service, envelopes) as travelling:
            first = travelling[0]
            delivery = {"envelopes": [self._signatures.sign(envelope) for envelope in travelling]}
            self._put(producer, first.receiver, first.type, delivery, headers={"traceparent": first.traceparent})
        measures.published(
            self._database.service, first.receiver, first.type, messages=len(envelopes), again=first.sends > 1
        )

    def _acknowledgement(self, sender: str, ids: Sequence[str]) -> outbox.Envelope:
        return outbox.Envelope(str(new_id()), ACKNOWLEDGED, self._database.service, sender, "", {"ids": list(ids)})

    def _put(self, producer: Producer, receiver: str, name: str, kwargs: dict[str, Any], **options: Any) -> None:
        self._app.send_task(
            f"{receiver}.{name}",
            kwargs=kwargs,
            queue=receiver,
            producer=producer,
            retry=False,
            argsrepr="-",
            kwargsrepr="-",
            **options,
        )
