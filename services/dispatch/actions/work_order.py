"""A work order comes with a notice or a rework, is acknowledged, and may be withdrawn [R27, R29, R39]."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from services.dispatch.models import ACKNOWLEDGE, WorkOrder
from services.dispatch.queries import orders_of
from services.dispatch.rules.punctuality import PunctualityPolicy, acknowledge_due, arrive_due, is_late
from services.dispatch.rules.work_order import WORK_ORDER, WorkState, WorkStep
from shared.bus.outbox import publish
from shared.errors import NotFound, NotYet
from shared.ids import new_id
from shared.messages import NoticeCancelled, NoticeIssued, ReworkOrdered, WorkAcknowledged
from shared.people import Actor, known_site
from shared.policy_rows import in_force


def work_order_for(session: Session, actor: Actor, work_order_id: UUID) -> WorkOrder:
    """An order of the person asking with its workers, locked until the transaction ends. Raises NotFound.

    The row is locked before anything is read of it: who waited for a reassignment sees the new team.
    """
    session.execute(select(WorkOrder.id).where(WorkOrder.id == work_order_id).with_for_update())
    order = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.id == work_order_id, orders_of(actor))
        .options(selectinload(WorkOrder.workers))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise NotFound("work order", work_order_id)
    return order


def notice_issued(session: Session, message: NoticeIssued, *, now: datetime) -> None:
    """The department's copy of a notice came [R27]: the paid round 0."""
    notice = message.model_dump(exclude={"issued_at"})
    _receive(session, {**notice, "round": 0}, now)


def rework_ordered(session: Session, message: ReworkOrdered, *, now: datetime) -> None:
    """A revisit found a problem: the next round, free of charge [R38, R39, D25]."""
    order = message.model_dump(exclude={"ordered_at", "problem"})
    _receive(session, {**order, "description": message.problem, "fee_fen": 0}, now)


def _receive(session: Session, facts: dict[str, Any], now: datetime) -> None:
    """One order for each request and round: a second message with the same meaning changes nothing."""
    known_site(session, facts["site_id"])
    policy = in_force(session, PunctualityPolicy, site_id=facts["site_id"], at=now)
    session.execute(
        insert(WorkOrder)
        .values(
            id=new_id(),
            state=WorkState.RECEIVED,
            received_at=now,
            acknowledge_due_at=acknowledge_due(now, policy),
            arrive_due_at=arrive_due(facts["visit_from"], policy),
            **facts,
        )
        .on_conflict_do_nothing(index_elements=["request_id", "round"])
    )


def notice_cancelled(session: Session, message: NoticeCancelled) -> None:
    """The notice was withdrawn: once somebody is at the home it is too late, and the desk hears how the visit ends.

    Raises NotYet while the order is not known.
    """
    order = session.scalars(
        select(WorkOrder).where(WorkOrder.request_id == message.request_id, WorkOrder.round == 0).with_for_update()
    ).one_or_none()
    if order is None:
        raise NotYet(f"the work order of request {message.request_id} is not known yet")
    if not WORK_ORDER.allows(order.state, WorkStep.CANCEL):
        return
    order.state = WORK_ORDER.move(order.state, WorkStep.CANCEL)
    order.cancelled_at, order.reason = message.cancelled_at, message.reason


def acknowledge(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The head has the notice and answers for it [R29, R99]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.ACKNOWLEDGE)
    order.acknowledged_at, order.acknowledged_by = now, actor.person_id
    order.acknowledge_late = is_late(order.acknowledge_due_at, now)
    publish(
        session,
        WorkAcknowledged(
            request_id=order.request_id,
            round=order.round,
            site_id=order.site_id,
            acknowledged_by=actor.person_id,
            acknowledged_at=now,
        ),
    )
    return order


def note_unacknowledged(session: Session, *, now: datetime) -> int:
    """The minutes to acknowledge are over [D4]: marked late for ever, and the order stays with the head."""
    late = session.scalars(
        update(WorkOrder)
        .where(WorkOrder.id.in_(ACKNOWLEDGE.claim(WorkOrder.id, now=now)))
        .values(acknowledge_late=True)
        .returning(WorkOrder.id)
    )
    return len(late.all())
