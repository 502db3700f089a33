"""The receiver's side: each message takes effect once, whatever the broker does with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared import clock
from shared.bus.outbox import Envelope
from shared.db import Database
from shared.errors import NotYet, Problem
from shared.log import begin_trace
from shared.messages import CATALOGUE, Message

log = structlog.get_logger()

EARLY_ATTEMPTS = 200
"""An early message is tried about a day long before it is parked."""
BROKEN_ATTEMPTS = 5
"""A message whose handler fails for no known reason is parked after this many tries."""

_CLAIM = text("""
    INSERT INTO inbox (message_id, sender, type, state, trace, handled_at)
    VALUES (:id, :sender, :type, 'handled', :trace, clock_timestamp())
    ON CONFLICT (message_id) DO UPDATE SET ack_due = true
    RETURNING state, (xmax = 0) AS first
""")

_CLAIM_WAITING = text("""
    UPDATE inbox SET state = 'handled', handled_at = clock_timestamp(), body = NULL, retry_at = NULL, reason = NULL
    WHERE message_id = :id AND state = 'waiting'
""")

_KEEP = text("""
    INSERT INTO inbox (message_id, sender, type, state, trace, retry_at, reason, body)
    VALUES (:id, :sender, :type, 'waiting', :trace, clock_timestamp() + interval '100 ms', :reason, :body)
    ON CONFLICT (message_id) DO UPDATE SET
        attempts = inbox.attempts + 1, ack_due = true, reason = excluded.reason, body = excluded.body,
        retry_at = clock_timestamp() + make_interval(secs => least(600, 0.1 * power(2, least(inbox.attempts, 13))))
    WHERE inbox.state = 'waiting'
    RETURNING attempts
""").bindparams(bindparam("body", type_=JSONB))

_PARK = text("UPDATE inbox SET state = 'parked', retry_at = NULL WHERE message_id = :id AND state = 'waiting'")

_TAKE_RETRIES = text("""
    WITH due AS (
        SELECT message_id FROM inbox WHERE state = 'waiting' AND retry_at <= clock_timestamp()
        ORDER BY retry_at LIMIT 100 FOR UPDATE SKIP LOCKED
    )
    UPDATE inbox i SET retry_at = clock_timestamp() + interval '10 s'
    FROM due WHERE i.message_id = due.message_id
    RETURNING i.message_id, i.type, i.sender, i.trace, i.body
""")

_TAKE_ACKS = text("""
    WITH due AS (SELECT message_id FROM inbox WHERE ack_due LIMIT 500 FOR UPDATE SKIP LOCKED)
    UPDATE inbox i SET ack_due = false FROM due WHERE i.message_id = due.message_id
    RETURNING i.message_id, i.sender
""")


class Handler(Protocol):
    """What a service does on hearing a message: one action in the given transaction, at the given moment."""

    def __call__(self, session: Session, message: Any, *, now: datetime) -> None:
        """Do it; raise NotYet when the message came too early, a Problem when it breaks a rule."""


def receive(database: Database, handlers: dict[str, Handler], delivery: dict[str, Any]) -> str:
    """Handle one delivery of a message; returns what became of it.

    `handled` took effect now, `again` had taken effect before, `waiting` is kept and will be tried again,
    `parked` needs an operator, `refused` is no message at all. A database that cannot be reached raises
    OperationalError: the message stays unacknowledged and the sender sends it again.
    """
    try:
        envelope = Envelope(**delivery)
        id_ = UUID(envelope.id)
    except (TypeError, ValueError) as error:
        log.error("message_refused", error=type(error).__name__)
        return "refused"
    begin_trace(envelope.trace, service=database.service, message=envelope.type)
    try:
        message = _parse(envelope, database.service)
        outcome = _take_effect(database, handlers[envelope.type], envelope, message)
    except OperationalError:
        log.warning("message_put_off", message_id=envelope.id, reason="database_unreachable")
        raise
    except NotYet as early:
        return _keep(database, id_, envelope, reason=f"early: {early}", attempts_allowed=EARLY_ATTEMPTS)
    except (Problem, ValidationError, _Misdirected) as broken:
        return _keep(database, id_, envelope, reason=_why(broken), attempts_allowed=0)
    except Exception as failure:  # whatever a handler raises, the message must not be lost nor stop the others
        log.exception("message_failed", message_id=envelope.id)
        return _keep(database, id_, envelope, reason=_why(failure), attempts_allowed=BROKEN_ATTEMPTS)
    log.info("message_received", message_id=envelope.id, outcome=outcome)
    return outcome


class _Misdirected(Exception):
    """The message does not exist, or is not said by that sender, or not to us."""


def _parse(envelope: Envelope, service: str) -> Message:
    kind = CATALOGUE.get(envelope.type)
    if kind is None or kind.sender != envelope.sender or service not in kind.receivers:
        raise _Misdirected(f"{envelope.sender} does not say {envelope.type} to {service}")
    return kind.model_validate(envelope.body)


def _take_effect(database: Database, handler: Handler, envelope: Envelope, message: Message) -> str:
    """Claim and effect in one transaction: both are kept or neither is."""
    with database.session() as session:
        claim = session.execute(
            _CLAIM,
            {"id": envelope.id, "sender": envelope.sender, "type": envelope.type, "trace": envelope.trace},
        ).one()
        if not claim.first:
            if claim.state != "waiting":
                return "again"
            session.execute(_CLAIM_WAITING, {"id": envelope.id})
        handler(session, message, now=clock.now(session))
    return "handled"


def _keep(database: Database, id_: UUID, envelope: Envelope, *, reason: str, attempts_allowed: int) -> str:
    """Store the message with its reason; from now on it is ours, so the sender is acknowledged."""
    with database.session() as session:
        row = session.execute(
            _KEEP,
            {
                "id": id_,
                "sender": envelope.sender,
                "type": envelope.type,
                "trace": envelope.trace,
                "reason": reason[:500],
                "body": envelope.body,
            },
        ).one_or_none()
        if row is None:
            return "again"
        if row.attempts < attempts_allowed:
            return "waiting"
        session.execute(_PARK, {"id": id_})
    log.error("message_parked", message_id=envelope.id, reason=reason[:200])
    return "parked"


def _why(failure: Exception) -> str:
    """The reason an operator reads: what failed and its words, without the values that were sent."""
    if isinstance(failure, ValidationError):
        return "malformed: " + "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in failure.errors(include_input=False)
        )
    return f"{type(failure).__name__}: {failure}"


def take_retries(session: Session) -> list[Envelope]:
    """Waiting messages whose time has come, to be put on our own queue once more."""
    rows = session.execute(_TAKE_RETRIES).all()
    service: str = session.info["service"]
    return [Envelope(str(row.message_id), row.type, row.sender, service, row.trace, row.body) for row in rows]


def take_acknowledgements(session: Session) -> dict[str, list[str]]:
    """Message ids we hold and have not acknowledged, by sender."""
    by_sender: dict[str, list[str]] = {}
    for row in session.execute(_TAKE_ACKS):
        by_sender.setdefault(row.sender, []).append(str(row.message_id))
    return by_sender


def retry(session: Session, ids: Sequence[UUID]) -> int:
    """An operator wants parked messages tried once more; returns how many were parked."""
    result = session.execute(
        text("""UPDATE inbox SET state = 'waiting', attempts = 0, retry_at = clock_timestamp()
                WHERE message_id = ANY(:ids) AND state = 'parked' RETURNING 1"""),
        {"ids": list(ids)},
    )
    return len(result.all())


def discard(session: Session, id_: UUID, *, reason: str) -> int:
    """An operator gives a parked message up, and says why; returns how many were parked."""
    result = session.execute(
        text("""UPDATE inbox SET state = 'discarded', reason = reason || ' | discarded: ' || :reason, body = NULL
                WHERE message_id = :id AND state = 'parked' RETURNING 1"""),
        {"id": id_, "reason": reason},
    )
    return len(result.all())
