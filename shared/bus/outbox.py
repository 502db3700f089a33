"""The sender's side: what is to be sent, and what has not been acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shared.ids import new_id
from shared.log import current_trace
from shared.messages import Message

FIRST_RESEND_SECONDS = 5
LONGEST_RESEND_SECONDS = 300
BATCH = 200

_INSERT = text(
    "INSERT INTO outbox (message_id, receiver, type, body, trace) VALUES (:message_id, :receiver, :type, :body, :trace)"
).bindparams(bindparam("body", type_=JSONB))

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
    RETURNING o.message_id, o.receiver, o.type, o.body, o.trace, o.sends, o.published_at, o.sequence
""")

_ACKNOWLEDGE = text("""
    UPDATE outbox SET acknowledged_at = clock_timestamp()
    WHERE receiver = :receiver AND message_id = ANY(:ids) AND acknowledged_at IS NULL
""")


@dataclass(frozen=True)
class Envelope:
    """One message as it travels: everything a receiver needs to claim, parse and trace it."""

    id: str
    type: str
    sender: str
    receiver: str
    trace: str
    body: dict[str, Any]


def channel(service: str) -> str:
    """The PostgreSQL NOTIFY channel that wakes the relays of `service`."""
    return f"outbox_{service}"


def publish(session: Session, *messages: Message) -> None:
    """Tell each message's receivers, if and only if the caller's transaction commits.

    Wakes the relay once per transaction, because a NOTIFY makes commits queue behind each other.
    """
    service: str = session.info["service"]
    for message in messages:
        if message.sender != service:
            raise ValueError(f"{type(message).__name__} is said by {message.sender}, not by {service}")
    rows = [
        {
            "message_id": id_,
            "receiver": receiver,
            "type": type(message).__name__,
            "body": body,
            "trace": current_trace(),
        }
        for message in messages
        for id_, body in [(new_id(), message.model_dump(mode="json"))]
        for receiver in message.receivers
    ]
    if not rows:
        return
    session.flush()
    session.execute(_INSERT, rows)
    transaction = session.get_transaction()
    if session.info.get("notified") is not transaction:
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": channel(service)})
        session.info["notified"] = transaction


def take_due(session: Session) -> list[Envelope]:
    """Rows to send now, oldest first, each put off to its next sending."""
    service: str = session.info["service"]
    rows = session.execute(
        _TAKE_DUE,
        {"batch": BATCH, "longest": LONGEST_RESEND_SECONDS, "first": FIRST_RESEND_SECONDS},
    ).all()
    return [
        Envelope(str(row.message_id), row.type, service, row.receiver, row.trace, row.body)
        for row in sorted(rows, key=lambda row: int(row.sequence))
    ]


def acknowledge(session: Session, *, receiver: str, ids: Sequence[UUID]) -> None:
    """Close the rows that `receiver` says it holds; closing again changes nothing."""
    session.execute(_ACKNOWLEDGE, {"receiver": receiver, "ids": list(ids)})
