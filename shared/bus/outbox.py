"""The sender's side: what is to be sent, and what has not been acknowledged."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.audit import ACTING
from shared.bus.personal import sealed_body
from shared.ids import new_id
from shared.log import current_traceparent
from shared.messages import Message

FIRST_RESEND_SECONDS = 5
LONGEST_RESEND_SECONDS = 60
"""What is not acknowledged is sent again after 5, 10, 20, 40 seconds, then each minute."""

LONG_QUEUE = 50
"""While more than this waits in a receiver's queue, nothing is sent to it again: it is probably still in there."""
HELD_BACK_SECONDS = 5

ACTING_PERSON = "acting_person"
"""The part of every body that says whose act the message comes from, where it comes from somebody's: for the audit log.

It is in the body, which is signed, and no field of any message: no rule asks it.
"""

BATCH = 200
"""Rows the relay takes at a time."""
GROUP = 20
"""First sendings of one type to one receiver that travel as one task."""

# one statement however many messages and receivers; their sequence is the order in which they are told
_INSERT = text("""
    WITH woken AS MATERIALIZED (SELECT pg_notify(:channel, ''))
    INSERT INTO outbox (message_id, receiver, type, body, traceparent)
    SELECT m.message_id, m.receiver, m.type, m.body, :traceparent
    FROM woken, unnest(CAST(:ids AS uuid[]), CAST(:receivers AS text[]), CAST(:types AS text[]),
                       CAST(:bodies AS jsonb[])) WITH ORDINALITY AS m (message_id, receiver, type, body, place)
    ORDER BY m.place
""")

_TAKE_DUE = text("""
    WITH due AS (
        SELECT message_id, receiver FROM outbox
        WHERE acknowledged_at IS NULL AND send_at <= clock_timestamp()
        ORDER BY send_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox o
    SET sends = o.sends + 1,
        send_at = clock_timestamp() + make_interval(secs => least(:longest, :first * power(2, least(o.sends, 10))))
    FROM due WHERE o.message_id = due.message_id AND o.receiver = due.receiver
    RETURNING o.message_id, o.receiver, o.type, o.body, o.traceparent, o.sends, o.sequence
""")

_HOLD_BACK = text("""
    UPDATE outbox o
    SET sends = o.sends - 1, send_at = clock_timestamp() + make_interval(secs => :seconds)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:receivers AS text[])) AS held (message_id, receiver)
    WHERE o.message_id = held.message_id AND o.receiver = held.receiver
""")

_ACKNOWLEDGE = text("""
    UPDATE outbox SET acknowledged_at = clock_timestamp()
    WHERE receiver = :receiver AND message_id = ANY(:ids) AND acknowledged_at IS NULL
""")


@dataclass(frozen=True)
class Envelope:
    """One message as it travels: everything a receiver needs to claim, parse and trace it.

    `sends` is 1 when it travels for the first time: a later one may be a repeat of what was begun already.
    """

    id: str
    type: str
    sender: str
    receiver: str
    traceparent: str
    body: dict[str, Any]
    sends: int = 1

    @classmethod
    def read(cls, delivery: Mapping[str, Any]) -> "Envelope":
        """What was delivered, whatever newer versions add; raises ValueError when it is no envelope."""
        texts = ("id", "type", "sender", "receiver", "traceparent")
        if not isinstance(delivery, Mapping) or not all(isinstance(delivery.get(name), str) for name in texts):
            raise ValueError(f"an envelope has the texts {', '.join(texts)}")
        if str(UUID(delivery["id"])) != delivery["id"]:
            raise ValueError("an envelope's id is a UUID as PostgreSQL writes it")
        body, sends = delivery.get("body"), delivery.get("sends", 1)
        if not isinstance(body, dict) or type(sends) is not int:
            raise ValueError("an envelope has a body, which is an object, and a whole number of sends")
        _check_storable([*(delivery[name] for name in texts), body])
        return cls(**{name: delivery[name] for name in texts}, body=body, sends=sends)


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _check_storable(value: Any) -> None:
    """Raises ValueError for JSON that Python reads and PostgreSQL cannot hold: NaN, NUL, half a surrogate pair."""
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError("an envelope holds numbers and whole characters alone") from None
    if _NUL.search(written):
        raise ValueError("an envelope holds no NUL")


def channel(service: str) -> str:
    """The PostgreSQL NOTIFY channel that wakes the relays of `service`."""
    return f"outbox_{service}"


def publish(session: Session, *messages: Message) -> None:
    """Tell each message's receivers, if and only if the caller's transaction commits.

    Wakes the relay once per transaction.
    """
    service: str = session.info["service"]
    acting = session.info.get(ACTING)
    caused = {} if acting is None else {ACTING_PERSON: str(acting)}
    for message in messages:
        if message.sender != service:
            raise ValueError(f"{type(message).__name__} is said by {message.sender}, not by {service}")
    rows = [
        (id_, receiver, type(message).__name__, body)
        for message in messages
        for id_ in [new_id()]
        for body in [json.dumps(sealed_body(message, id_) | caused)]
        for receiver in message.receivers
    ]
    if not rows:
        return
    session.flush()
    ids, receivers, types, bodies = (list(column) for column in zip(*rows, strict=True))
    session.execute(
        _INSERT,
        {
            "ids": ids,
            "receivers": receivers,
            "types": types,
            "bodies": bodies,
            "traceparent": current_traceparent(),
            "channel": channel(service),
        },
    )


def take_due(session: Session) -> list[Envelope]:
    """Rows to send now, oldest first, each put off to its next sending."""
    service: str = session.info["service"]
    rows = session.execute(
        _TAKE_DUE,
        {"batch": BATCH, "longest": LONGEST_RESEND_SECONDS, "first": FIRST_RESEND_SECONDS},
    ).all()
    return [
        Envelope(str(row.message_id), row.type, service, row.receiver, row.traceparent, row.body, row.sends)
        for row in sorted(rows, key=lambda row: int(row.sequence))
    ]


def hold_back(session: Session, taken: Sequence[Envelope], *, queues: AbstractSet[str]) -> list[Envelope]:
    """Of the rows taken, those to send: repeats to the long `queues` are put off, as if they had not been taken."""
    held = [envelope for envelope in taken if envelope.sends > 1 and envelope.receiver in queues]
    if held:
        keys = {"ids": [e.id for e in held], "receivers": [e.receiver for e in held], "seconds": HELD_BACK_SECONDS}
        session.execute(_HOLD_BACK, keys)
    return [e for e in taken if not (e.sends > 1 and e.receiver in queues)]


def group(envelopes: Sequence[Envelope]) -> Iterator[list[Envelope]]:
    """Envelopes that travel as one task: of one receiver and one type; a repeat travels alone.

    One task costs more than the messages in it. What may have ended a process before must not take others along.
    """
    groups: dict[tuple[str, str], list[Envelope]] = {}
    for envelope in envelopes:
        if envelope.sends > 1:
            yield [envelope]
            continue
        together = groups.setdefault((envelope.receiver, envelope.type), [])
        together.append(envelope)
        if len(together) == GROUP:
            yield groups.pop((envelope.receiver, envelope.type))
    yield from groups.values()


def acknowledge(session: Session, *, receiver: str, ids: Sequence[UUID]) -> None:
    """Close the rows that `receiver` says it holds; closing again changes nothing."""
    session.execute(_ACKNOWLEDGE, {"receiver": receiver, "ids": list(ids)})
