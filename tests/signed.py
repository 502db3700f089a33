"""Messages as their senders sign them, for tests that hand them over without a pump."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from shared.bus import inbox
from shared.bus.outbox import Envelope
from shared.bus.signature import Signatures
from shared.db import Database, database
from shared.settings import settings


def signatures(service: str) -> Signatures:
    """What a worker of a service signs with."""
    return _signatures(service, settings().keys)


@cache
def _signatures(service: str, folder: Path) -> Signatures:
    return Signatures(service, partial(database, service), folder)


def signed(envelope: Envelope, *, by: str = "") -> dict[str, Any]:
    """An envelope signed by its sender, or by another."""
    return signatures(by or envelope.sender).sign(envelope)


def receive(at: Database, handlers: dict[str, Any], delivery: Any, *, redelivered: bool = False) -> str:
    """Hand over what an envelope's sender says, as a worker does; what is no envelope comes without a signature."""
    try:
        envelope = Envelope.read(delivery)
    except ValueError:
        return inbox.receive(
            at, handlers, delivery, signatures=signatures(at.service), task="", redelivered=redelivered
        )
    genuine = signed(envelope)
    return inbox.receive(
        at, handlers, genuine, signatures=signatures(at.service), task=envelope.type, redelivered=redelivered
    )
