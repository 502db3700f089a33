"""Messages as their senders seal them, for tests that hand them over without a pump."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from shared.bus import inbox
from shared.bus.outbox import Envelope
from shared.bus.signature import Seals
from shared.db import Database, database
from shared.settings import settings


def seals(service: str) -> Seals:
    """What a worker of a service seals with."""
    return _seals(service, settings().keys)


@cache
def _seals(service: str, folder: Path) -> Seals:
    return Seals(service, partial(database, service), folder)


def sealed(envelope: Envelope, *, by: str = "") -> dict[str, Any]:
    """An envelope sealed by its sender, or by another."""
    return seals(by or envelope.sender).seal(envelope)


def receive(at: Database, handlers: dict[str, Any], delivery: Any, *, redelivered: bool = False) -> str:
    """Hand over what an envelope's sender says, as a worker does; what is no envelope comes without a seal."""
    try:
        envelope = Envelope.read(delivery)
    except ValueError:
        return inbox.receive(at, handlers, delivery, seals=seals(at.service), task="", redelivered=redelivered)
    genuine = sealed(envelope)
    return inbox.receive(at, handlers, genuine, seals=seals(at.service), task=envelope.type, redelivered=redelivered)
