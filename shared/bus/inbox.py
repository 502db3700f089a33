"""The receiver's side: each message takes effect once, whatever the broker does with it."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared import tracing
from shared.audit import ACTING, cause_of
from shared.bus.outbox import ACTING_PERSON, Envelope
from shared.bus.personal import opened_body
from shared.bus.signature import Refused, Signatures
from shared.db import Database
from shared.errors import NotYet, Problem
from shared.messages import CATALOGUE, Message

log = structlog.get_logger()

PATIENT_ATTEMPTS = 200
"""A message that came early, or met a database that was busy, is tried about a day long before it is parked."""
BROKEN_ATTEMPTS = 5
"""A message whose handler fails for no known reason, or ends its process, is parked after this many tries."""

_CLAIM = text("""
    INSERT INTO inbox (message_id, sender, type, state, traceparent, handled_at)
    VALUES (:id, :sender, :type, 'handled', :traceparent, clock_timestamp())
    ON CONFLICT (message_id) DO UPDATE SET ack_due = true
    RETURNING state, (xmax = 0) AS first, clock_now() AS now, set_config('app.audit', :said, true)
""")

_CLAIM_WAITING = text("""
    UPDATE inbox
    SET state = 'handled', handled_at = clock_timestamp(), body = NULL, retry_at = NULL, reason = NULL, unended = 0
    WHERE message_id = :id AND state = 'waiting'
""")

# the first try was not counted, so a row that is new here stands for two; the lease is longer than any handler's
# statements may take, so what is found waiting at its end was left by a process that is no more
_BEGIN = text("""
    INSERT INTO inbox (message_id, sender, type, state, traceparent, retry_at, reason, body, unended)
    VALUES (:id, :sender, :type, 'waiting', :traceparent, clock_timestamp() + interval '30 s', :reason, :body, 2)
    ON CONFLICT (message_id) DO UPDATE SET
        ack_due = true,
        unended = inbox.unended + (inbox.state = 'waiting')::int,
        retry_at = CASE WHEN inbox.state = 'waiting' THEN excluded.retry_at END
    RETURNING state, unended
""").bindparams(bindparam("body", type_=JSONB))

_KEEP = text("""
    INSERT INTO inbox (message_id, sender, type, state, traceparent, retry_at, reason, body, attempts)
    VALUES (:id, :sender, :type, 'waiting', :traceparent, clock_timestamp() + interval '100 ms', :reason, :body, 1)
    ON CONFLICT (message_id) DO UPDATE SET
        attempts = inbox.attempts + 1, unended = 0, ack_due = true, reason = excluded.reason, body = excluded.body,
        retry_at = clock_timestamp() + make_interval(secs => least(600, 0.1 * power(2, least(inbox.attempts, 13))))
    WHERE inbox.state = 'waiting'
    RETURNING attempts
""").bindparams(bindparam("body", type_=JSONB))

_PARK = text("""
    UPDATE inbox SET state = 'parked', retry_at = NULL, reason = :reason WHERE message_id = :id AND state = 'waiting'
""")

_TAKE_RETRIES = text("""
    WITH due AS (
        SELECT message_id FROM inbox WHERE state = 'waiting' AND retry_at <= clock_timestamp()
        ORDER BY retry_at LIMIT 100 FOR UPDATE SKIP LOCKED
    )
    UPDATE inbox i SET retry_at = clock_timestamp() + interval '30 s'
    FROM due WHERE i.message_id = due.message_id
    RETURNING i.message_id, i.type, i.sender, i.traceparent, i.body
""")

_TAKE_ACKS = text("""
    WITH due AS (SELECT message_id FROM inbox WHERE ack_due LIMIT 500 FOR UPDATE SKIP LOCKED)
    UPDATE inbox i SET ack_due = false FROM due WHERE i.message_id = due.message_id
    RETURNING i.message_id, i.sender
""")

_REFUSE = text("""
    INSERT INTO unreadable (digest, reason, bytes) VALUES (:digest, :reason, :bytes)
    ON CONFLICT (digest) DO UPDATE SET
        times = unreadable.times + 1, last_at = clock_timestamp(), reason = excluded.reason
""")


class Handler(Protocol):
    """What a service does on hearing a message: one action in the given transaction, at the given moment."""

    def __call__(self, session: Session, message: Any, *, now: datetime) -> None:
        """Do it; raise NotYet when the message came too early, a Problem when it breaks a rule."""


def receive(
    database: Database,
    handlers: dict[str, Handler],
    delivery: dict[str, Any],
    *,
    signatures: Signatures,
    task: str,
    redelivered: bool = False,
) -> str:
    """Handle one delivery of a message, which came as the task of that name; returns what became of it.

    Its signature is checked before anything else. `handled` took effect now, `again` had taken effect before,
    `waiting` is kept and will be tried again, `parked` needs an operator, `refused` is no message at all, or a
    forged one. `redelivered` says that the broker has delivered it before; like a repeat of the sender it is
    counted before the work. A database that cannot be reached raises OperationalError: the message stays
    unacknowledged and the sender sends it again.
    """
    try:
        envelope = signatures.verified(delivery, task=task)
    except ValueError as error:
        raw = error.raw if isinstance(error, Refused) else repr(delivery).encode()
        refuse(database, raw, reason=str(error))
        return "refused"
    with tracing.work(
        f"handle {envelope.type}",
        kind="consumer",
        service=database.service,
        traceparent=envelope.traceparent,
        message=envelope.type,
    ) as piece:
        outcome = _outcome(database, handlers, envelope, redelivered=redelivered)
        if outcome in {"waiting", "parked"}:
            piece.fail(outcome)
        return outcome


def _outcome(database: Database, handlers: dict[str, Handler], envelope: Envelope, *, redelivered: bool) -> str:
    """What became of a message that is one."""
    try:
        outcome = _begin(database, envelope) if redelivered or envelope.sends > 1 else None
        outcome = outcome or _take_effect(database, handlers, envelope)
    except OperationalError as error:
        if error.connection_invalidated:
            log.warning("message_put_off", message_id=envelope.id, reason="database_unreachable")
            raise
        return _keep(database, envelope, reason=f"busy: {_why(error)}", attempts_allowed=PATIENT_ATTEMPTS)
    except NotYet as early:
        return _keep(database, envelope, reason=f"early: {early}", attempts_allowed=PATIENT_ATTEMPTS)
    except (Problem, ValidationError, _Misdirected) as broken:
        return _keep(database, envelope, reason=_why(broken), attempts_allowed=0)
    except Exception as failure:  # whatever a handler raises, the message must not be lost nor stop the others
        log.exception("message_failed", message_id=envelope.id)
        return _keep(database, envelope, reason=_why(failure), attempts_allowed=BROKEN_ATTEMPTS)
    log.info("message_received", message_id=envelope.id, outcome=outcome)
    return outcome


def refuse(database: Database, raw: bytes, *, reason: str) -> None:
    """Count something on our queue that is no message; an operator sees it, nobody runs it."""
    digest = sha256(raw).hexdigest()
    with database.session() as session:
        session.execute(_REFUSE, {"digest": digest, "reason": reason[:500], "bytes": len(raw)})
    log.error("message_refused", digest=digest, reason=reason[:200])


class _Misdirected(Exception):
    """The message does not exist, or is not said to us."""


def _parse(envelope: Envelope, service: str) -> Message:
    kind = CATALOGUE.get(envelope.type)
    if kind is None or service not in kind.receivers:
        raise _Misdirected(f"{envelope.sender} does not say {envelope.type} to {service}")
    return kind.model_validate(opened_body(kind, envelope.id, envelope.body))


def _acting(envelope: Envelope) -> UUID | None:
    """Whose act the message comes from; None: nobody's, or of a version that did not say."""
    said = envelope.body.get(ACTING_PERSON)
    return None if said is None else UUID(said)


def _take_effect(database: Database, handlers: dict[str, Handler], envelope: Envelope) -> str:
    """Claim and effect in one transaction: both are kept or neither is."""
    message = _parse(envelope, database.service)
    acting = _acting(envelope)
    with database.session() as session:
        session.info[ACTING] = acting
        said = cause_of(f"message {envelope.type}", behalf_of=acting)
        claim = session.execute(_CLAIM, _keys(envelope) | {"said": said}).one()
        if not claim.first:
            if claim.state != "waiting":
                return "again"
            session.execute(_CLAIM_WAITING, {"id": envelope.id})
        handlers[envelope.type](session, message, now=claim.now)
    return "handled"


def _begin(database: Database, envelope: Envelope) -> str | None:
    """Count a try before it is made, so that what ends its process every time is found; None: go on with it."""
    with database.session() as session:
        session.execute(text("SET LOCAL synchronous_commit = off"))  # a lost count is one more try
        reason = "begun, and not ended yet"
        row = session.execute(_BEGIN, _keys(envelope) | {"reason": reason, "body": envelope.body}).one()
        if row.state != "waiting":
            return "again"
        if row.unended <= BROKEN_ATTEMPTS:
            return None
        return _park(session, envelope, reason=f"ended its process {BROKEN_ATTEMPTS} times")


def _keep(database: Database, envelope: Envelope, *, reason: str, attempts_allowed: int) -> str:
    """Store the message with its reason; from now on it is ours, so the sender is acknowledged."""
    with database.session() as session:
        kept = _keys(envelope) | {"reason": reason[:500], "body": envelope.body}
        row = session.execute(_KEEP, kept).one_or_none()
        if row is None:
            return "again"
        if row.attempts < attempts_allowed:
            return "waiting"
        return _park(session, envelope, reason=reason)


def _park(session: Session, envelope: Envelope, *, reason: str) -> str:
    session.execute(_PARK, {"id": envelope.id, "reason": reason[:500]})
    kind = reason.partition(":")[0]  # what follows may quote what was sent; an operator reads it
    log.error("message_parked", message_id=envelope.id, reason=kind)
    return "parked"


def _keys(envelope: Envelope) -> dict[str, Any]:
    return {
        "id": envelope.id,
        "sender": envelope.sender,
        "type": envelope.type,
        "traceparent": envelope.traceparent,
    }


def _why(failure: Exception) -> str:
    """The reason an operator reads: what failed and its words, without the values that were sent."""
    if isinstance(failure, ValidationError):
        return "malformed: " + "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in failure.errors(include_input=False)
        )
    first = str(failure).partition("\n")[0]  # of a database's error; its details hold the values of the row
    return f"{type(failure).__name__}: {first}"


def take_retries(session: Session) -> list[Envelope]:
    """Waiting messages whose time has come, to be put on our own queue once more."""
    rows = session.execute(_TAKE_RETRIES).all()
    service: str = session.info["service"]
    return [
        Envelope(str(row.message_id), row.type, row.sender, service, row.traceparent, row.body, sends=2) for row in rows
    ]


def take_acknowledgements(session: Session) -> dict[str, list[str]]:
    """Message ids we hold and have not acknowledged, by sender."""
    by_sender: dict[str, list[str]] = {}
    for row in session.execute(_TAKE_ACKS):
        by_sender.setdefault(row.sender, []).append(str(row.message_id))
    return by_sender


def retry(session: Session, ids: Sequence[UUID]) -> int:
    """An operator wants parked messages tried once more; returns how many were parked."""
    result = session.execute(
        text("""UPDATE inbox SET state = 'waiting', attempts = 0, unended = 0, retry_at = clock_timestamp()
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
