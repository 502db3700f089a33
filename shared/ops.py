"""What operators and auditors see of a service's bus and deadlines: the same routes in all four."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Row, Select, func, literal, select, text, union_all
from sqlalchemy.orm import Session

from shared.access import COMMON
from shared.bus import inbox
from shared.bus.presence import WorkerView, tick_runs, workers
from shared.errors import NotFound
from shared.ids import new_id
from shared.people import Actor
from shared.tasks import Deadline, Tasks
from shared.web import After, Edge, Limit, Reason, permissions


@dataclass(frozen=True)
class DeadlineView:
    """One kind of deadline: how many are open, and how many of these have passed without their sweep.

    `ran_at`: when the sweep last acted, by the database's own time; None: never.
    """

    kind: str
    open: int
    overdue: int
    oldest_due: datetime | None
    ran_at: datetime | None


@dataclass(frozen=True)
class BusView:
    """How a service's bus stands: `published` counts all there ever were, `unacknowledged` is
    on its way, `waiting` came early, `parked` needs help, `unreadable` was no message at all and was never run.
    """

    service: str
    now: datetime
    published: int
    unacknowledged: int
    waiting: int
    parked: int
    unreadable: int
    oldest_unacknowledged_seconds: float
    deadlines: list[DeadlineView]
    workers: list[WorkerView]


@dataclass(frozen=True)
class MessageView:
    """One message sent (`receiver` is set) or received (`sender` is set)."""

    id: UUID
    type: str
    sender: str
    receiver: str
    state: str
    trace: str
    reason: str | None


@dataclass(frozen=True)
class MessagePage:
    """Some messages, and the cursor of the next page (None: this is the last)."""

    items: list[MessageView]
    next: str | None


@dataclass(frozen=True)
class Changed:
    """How many messages an operator's act changed."""

    count: int


_BUS = text("""
    SELECT (SELECT count(*) FROM outbox WHERE acknowledged_at IS NULL) AS unacknowledged,
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(published_at)), 0)
            FROM outbox WHERE acknowledged_at IS NULL) AS oldest,
           (SELECT count(*) FROM inbox WHERE state = 'waiting') AS waiting,
           (SELECT count(*) FROM inbox WHERE state = 'parked') AS parked,
           (SELECT coalesce(sum(times), 0) FROM unreadable) AS unreadable,
           (SELECT coalesce(max(sequence), 0) FROM outbox) AS published,
           clock_now() AS now
""")

_SENT = text("""
    SELECT message_id AS id, type, :service AS sender, receiver,
           CASE WHEN acknowledged_at IS NULL THEN 'unacknowledged' ELSE 'acknowledged' END AS state,
           substr(traceparent, 4, 32) AS trace, NULL AS reason, sequence AS cursor
    FROM outbox WHERE sequence > :after ORDER BY sequence LIMIT :limit
""")

_RECEIVED = text("""
    SELECT message_id AS id, type, sender, :service AS receiver, state,
           substr(traceparent, 4, 32) AS trace, reason, message_id AS cursor
    FROM inbox WHERE (CAST(:after AS uuid) IS NULL OR message_id > :after)
                 AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY message_id LIMIT :limit
""")


def count_open(deadline: Deadline, now: datetime) -> Select[str, int, int, datetime | None]:
    """How many are open, how many overdue at `now`, and the oldest; reads open rows alone, by their sweep's index."""
    return select(
        literal(deadline.kind), func.count(), func.count().filter(deadline.due < now), func.min(deadline.due)
    ).where(deadline.due.is_not(None), ~deadline.ended)


def bus_view(session: Session, tasks: Tasks) -> BusView:
    """How the service's bus and deadlines stand."""
    row = session.execute(_BUS).one()
    ran = tick_runs(session)
    return BusView(
        tasks.service,
        row.now,
        row.published,
        row.unacknowledged,
        row.waiting,
        row.parked,
        int(row.unreadable),
        float(row.oldest),
        [
            DeadlineView(*line, ran.get(line[0]))
            for line in session.execute(union_all(*(count_open(deadline, row.now) for deadline in tasks.deadlines)))
        ],
        workers(session),
    )


def received(session: Session, service: str, *, state: str | None, after: UUID | None, limit: int) -> MessagePage:
    """Messages a service received, of one state or all."""
    asked = {"service": service, "after": after, "limit": limit + 1, "state": state}
    return _page(session.execute(_RECEIVED, asked).all(), limit)


def make_ops(tasks: Tasks) -> APIRouter:
    """The routes under /ops of a service."""
    may = permissions(tasks.service, COMMON)
    ops = APIRouter(prefix="/ops", tags=["operations"])

    @ops.get("/bus", summary="Messages under way and deadlines, counted")
    def bus(edge: Annotated[Edge, may("watch")]) -> BusView:
        return bus_view(edge.session, tasks)

    @ops.get("/sent", summary="Every message sent, by cursor")
    def sent(edge: Annotated[Edge, may("watch")], after: int = 0, limit: Limit = 500) -> MessagePage:
        rows = edge.session.execute(_SENT, {"service": tasks.service, "after": after, "limit": limit + 1}).all()
        return _page(rows, limit)

    @ops.get("/received", summary="Every message received, by cursor; `state=parked` are those in need of help")
    def list_received(
        edge: Annotated[Edge, may("watch")], state: str | None = None, after: After = None, limit: Limit = 500
    ) -> MessagePage:
        return received(edge.session, tasks.service, state=state, after=after, limit=limit)

    @ops.post("/parked/{message_id}/retry", summary="Try a parked message once more")
    def retry(message_id: UUID, edge: Annotated[Edge, may("operate")]) -> Changed:
        return retry_parked(edge.session, message_id, actor=edge.actor)

    @ops.post("/parked/{message_id}/discard", summary="Give a parked message up, with the reason")
    def discard(message_id: UUID, body: Reason, edge: Annotated[Edge, may("operate")]) -> Changed:
        return discard_parked(edge.session, message_id, reason=body.reason, actor=edge.actor)

    return ops


def _page(rows: Sequence[Row[Any]], limit: int) -> MessagePage:
    shown = rows[:limit]
    views = [MessageView(r.id, r.type, r.sender, r.receiver, r.state, r.trace, r.reason) for r in shown]
    return MessagePage(views, str(shown[-1].cursor) if len(rows) > limit else None)


_NOTE_ACT = text("""
    INSERT INTO operator_acts (id, message_id, act, person_id, reason) VALUES (:id, :message_id, :act, :person, :reason)
""")


def retry_parked(session: Session, message_id: UUID, *, actor: Actor) -> Changed:
    """An operator has a parked message tried once more, which is noted. Raises NotFound when it is not parked."""
    return _acted(session, inbox.retry(session, [message_id]), message_id, act="retry", actor=actor, reason=None)


def discard_parked(session: Session, message_id: UUID, *, reason: str, actor: Actor) -> Changed:
    """An operator gives a parked message up, which is noted with his reason. Raises NotFound when it is not parked."""
    count = inbox.discard(session, message_id, reason=reason)
    return _acted(session, count, message_id, act="discard", actor=actor, reason=reason)


def _acted(session: Session, count: int, message_id: UUID, *, act: str, actor: Actor, reason: str | None) -> Changed:
    if not count:
        raise NotFound("parked message", message_id)
    session.execute(
        _NOTE_ACT,
        {"id": new_id(), "message_id": message_id, "act": act, "person": actor.person_id, "reason": reason},
    )
    return Changed(count)
