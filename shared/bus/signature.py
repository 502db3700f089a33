"""Signatures: every message is signed by the service that sends it, so whoever else writes to a queue says nothing.

A signature is of Ed25519 and over the whole envelope: version, id, type, sender, receiver, traceparent, number of
sends, the moment it was signed, and the SHA-256 of the body as canonical JSON. Receivers hold public keys alone: a
service that was broken into can say what is its own to say, and nothing of another's. Acknowledgements are signed too,
because a forged one would lose a message.

It is signed when it is sent, by the worker of its sender, and each repeat anew. What waits in a receiver's inbox is put
back on his own queue under his own signature: he had checked the sender's before he kept it.

A genuine message that is sent again by a stranger is stopped by the inbox, which remembers ids for 400 days; so what
was signed before that is refused, and nothing younger, for a queue may be long and an outbox full for weeks.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from shared import measures
from shared.bus.keys import NoKey, PrivateKey, PublicKeys, public_folder
from shared.bus.moment import Moment
from shared.bus.outbox import Envelope
from shared.bus.purge import KEPT_DAYS
from shared.db import Database
from shared.messages import CATALOGUE

VERSION = 1


class Refused(ValueError):
    """An envelope that is not what it says; `raw` are bytes by which a repeat of it is known again."""

    def __init__(self, reason: str, envelope: Envelope) -> None:
        said = f"{envelope.type[:40]!a} of {envelope.sender[:40]!a} to {envelope.receiver[:40]!a}"
        super().__init__(f"{reason} ({said})")
        self.raw = _canonical(asdict(replace(envelope, sends=1)))


@dataclass(frozen=True)
class Signature:
    """Who signed an envelope with which key and when, the digest of its body, and the Ed25519 value over it all."""

    v: int
    by: str
    key: str
    created: str
    digest: str
    value: str

    @classmethod
    def read(cls, signature: Any) -> "Signature | None":
        """The signature of a delivery; None when it has none."""
        texts = ("by", "key", "created", "digest", "value")
        if not isinstance(signature, dict) or type(signature.get("v")) is not int:
            return None
        if not all(isinstance(signature.get(name), str) for name in texts):
            return None
        return cls(v=signature["v"], **{name: signature[name] for name in texts})

    def over(self, envelope: Envelope) -> bytes:
        """What the value is over: everything but itself."""
        return _canonical([{**vars(envelope), "body": self.digest}, {**vars(self), "value": ""}])


def _canonical(value: Any) -> bytes:
    """The same bytes for the same JSON, however it travelled."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def body_digest(body: dict[str, Any]) -> str:
    """The SHA-256 of a body, in hexadecimal digits."""
    return sha256(_canonical(body)).hexdigest()


class Signatures:
    """What a worker of one service signs with, and checks the signatures of others with."""

    def __init__(self, service: str, where: Callable[[], Database], folder: Path) -> None:
        self._service = service
        self._own = PrivateKey(folder, service)
        self._known = PublicKeys(public_folder(folder))
        self._moment = Moment(where)

    def sign(self, envelope: Envelope) -> dict[str, Any]:
        """The envelope as it travels, signed by us now; raises NoKey, and OperationalError when no database answers."""
        id_, key = self._own.get()
        created = self._moment.now().isoformat()
        unsigned = Signature(VERSION, self._service, id_, created, body_digest(envelope.body), "")
        value = base64.b64encode(key.sign(unsigned.over(envelope))).decode()
        return asdict(envelope) | {"signature": asdict(replace(unsigned, value=value))}

    def verified(self, delivery: Any, *, task: str) -> Envelope:
        """The envelope of a delivery that came as the task of that name.

        Raises ValueError when it is none, Refused when it is not from whom or not for whom it says.
        """
        envelope = Envelope.read(delivery)
        fault = self._fault(envelope, Signature.read(delivery.get("signature")), task)
        if fault is not None:
            raise Refused(fault, envelope)
        signed_at = datetime.fromisoformat(delivery["signature"]["created"])
        measures.waited(self._service, task, seconds=(self._moment.now() - signed_at).total_seconds())
        return envelope

    def _fault(self, envelope: Envelope, signature: Signature | None, task: str) -> str | None:
        if signature is None:
            return "unsigned"
        if signature.v != VERSION:
            return f"a signature of version {signature.v}, and {VERSION} is known"
        return self._forged(envelope, signature) or self._misused(envelope, signature, task)

    def _forged(self, envelope: Envelope, signature: Signature) -> str | None:
        """Why the signature proves nothing, or None."""
        key = self._known.find(signature.by, signature.key)
        if key is None:
            return "no such key"
        if not key.is_valid(self._moment.now()):
            return "the key is not valid now"
        try:
            key.key.verify(base64.b64decode(signature.value), signature.over(envelope))
        except (InvalidSignature, ValueError):
            return "wrong signature: the header was altered, or another key signed it"
        if body_digest(envelope.body) != signature.digest:
            return "altered body"
        return None

    def _misused(self, envelope: Envelope, signature: Signature, task: str) -> str | None:
        """Why a genuine envelope is not to be acted on here, or None."""
        kind = CATALOGUE.get(envelope.type)
        if envelope.receiver != self._service:
            return "wrong receiver"
        if signature.by not in {envelope.sender, self._service} or (
            kind is not None and kind.sender != envelope.sender
        ):
            return "wrong sender"
        if envelope.type != task:
            return "task and type differ"
        if self._moment.now() - datetime.fromisoformat(signature.created) > timedelta(days=KEPT_DAYS):
            return f"older than the {KEPT_DAYS} days for which the inbox remembers"
        return None

    def missing(self) -> str | None:
        """Why nothing can be signed, in one sentence, or None."""
        try:
            id_, _ = self._own.get()
        except NoKey as error:
            return str(error)
        if self._known.find(self._service, id_) is None:
            return f"nobody knows the key {id_} of {self._service}: its public half is to lie in the folder public"
        return None
