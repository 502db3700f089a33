"""A work order comes with a notice or a rework, is acknowledged or declined, revised or withdrawn [R27, R29, D27]."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from services.dispatch.actions.alert import TOLD, Told, missed
from services.dispatch.models import ACKNOWLEDGE, Decline, WorkOrder
from services.dispatch.queries.work_orders import orders_of
from services.dispatch.rules.punctuality import PunctualityPolicy, acknowledge_due, arrive_due, is_late
from services.dispatch.rules.work_order import (
    WORK_ORDER,
    WorkState,
    WorkStep,
    check_declinable,
    check_returnable,
)
from shared.alerts import raise_alerts
from shared.bus.outbox import publish
from shared.db import held_by
from shared.errors import NotFound, NotYet
from shared.ids import new_id
from shared.messages import (
    AcknowledgementMissed,
    NoticeCancelled,
    NoticeIssued,
    NoticeReturned,
    NoticeRevised,
    ReworkOrdered,
    WorkAcknowledged,
    WorkDeclined,
)
from shared.people import Actor, known_site
from shared.policy_rows import in_force
from shared.sealing import seal


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
    notice = held_by(WorkOrder, message)
    _receive(session, {**notice, "round": 0}, phone=message.phone, said_at=message.issued_at, now=now)


def rework_ordered(session: Session, message: ReworkOrdered, *, now: datetime) -> None:
    """A revisit found a problem: the next round, free of charge [R38, R39, D25]."""
    order = held_by(WorkOrder, message)
    facts = {**order, "description": message.problem, "fee_fen": 0}
    _receive(session, facts, phone=message.phone, said_at=message.ordered_at, now=now)


def _receive(session: Session, facts: dict[str, Any], *, phone: str, said_at: datetime, now: datetime) -> None:
    """One order for each request and round: a second message with the same meaning changes nothing.

    Its promises are those of the policy at the moment the desk said so; a message may come late.
    """
    known_site(session, facts["site_id"])
    policy = in_force(session, PunctualityPolicy, site_id=facts["site_id"], at=said_at)
    order_id = new_id()
    session.execute(
        insert(WorkOrder)
        .values(
            id=order_id,
            phone_sealed=seal(phone, place=WorkOrder.phone.at(order_id)),
            state=WorkState.RECEIVED,
            received_at=now,
            acknowledge_due_at=acknowledge_due(now, policy),
            arrive_due_at=arrive_due(facts["visit_from"], policy),
            **facts,
        )
        .on_conflict_do_nothing(index_elements=["request_id", "round"])
    )


def _paid_order(session: Session, request_id: UUID) -> WorkOrder:
    """Round 0 of a request, locked. Raises NotYet while its notice has not come."""
    order = session.scalars(
        select(WorkOrder).where(WorkOrder.request_id == request_id, WorkOrder.round == 0).with_for_update()
    ).one_or_none()
    if order is None:
        raise NotYet(f"the work order of request {request_id} is not known yet")
    return order


def notice_revised(session: Session, message: NoticeRevised, *, now: datetime) -> None:
    """What was agreed changed: this revision replaces the older one; a declined order begins again [R28, D23, D27].

    An order that has ended stays as it was signed or given up. Raises NotYet while the order is not known.
    """
    order = _paid_order(session, message.request_id)
    if message.revision <= order.revision or not WORK_ORDER.allows(order.state, WorkStep.REVISE):
        return
    policy = in_force(session, PunctualityPolicy, site_id=order.site_id, at=message.revised_at)
    if order.state is WorkState.DECLINED:
        order.declined_at, order.reason = None, None
        order.acknowledged_at, order.acknowledged_by, order.acknowledge_late = None, None, False
        order.acknowledge_due_at = acknowledge_due(now, policy)
    order.state = WORK_ORDER.move(order.state, WorkStep.REVISE)
    if order.arrived_at is None and order.visit_from != message.visit_from:
        order.arrive_due_at = arrive_due(message.visit_from, policy)
        order.late_noted_at, order.arrived_late = None, False
        order.owner_waits = False  # a visit at another time is an appointment [R46]
    agreed = held_by(WorkOrder, message, exclude={"request_id", "notice_number", "site_id", "reason"})
    for name, value in agreed.items():
        setattr(order, name, value)
    order.phone = message.phone


def notice_cancelled(session: Session, message: NoticeCancelled) -> None:
    """The notice was withdrawn: once somebody is at the home it is too late, and the desk hears how the visit ends.

    Raises NotYet while the order is not known.
    """
    order = _paid_order(session, message.request_id)
    if not WORK_ORDER.allows(order.state, WorkStep.CANCEL):
        return
    order.state = WORK_ORDER.move(order.state, WorkStep.CANCEL)
    order.declined_at, order.cancelled_at, order.reason = None, message.cancelled_at, message.reason


def acknowledge(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The head has the notice and answers for it [R29, R99]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.ACKNOWLEDGE)
    order.acknowledged_at, order.acknowledged_by = now, actor.person_id
    if is_late(order.acknowledge_due_at, now) and not order.acknowledge_late:
        order.acknowledge_late = True
        _tell_missed(session, [order], now=now)
    publish(
        session,
        WorkAcknowledged(
            request_id=order.request_id,
            round=order.round,
            revision=order.revision,
            site_id=order.site_id,
            acknowledged_by=actor.person_id,
            acknowledged_at=now,
        ),
    )
    return order


def note_unacknowledged(session: Session, *, now: datetime) -> int:
    """The minutes to acknowledge are over [D4]: late for good, and head and desk are told [R29, R99]."""
    late = session.execute(
        update(WorkOrder)
        .where(WorkOrder.id.in_(ACKNOWLEDGE.claim(WorkOrder.id, now=now)))
        .values(acknowledge_late=True)
        .returning(*TOLD, WorkOrder.request_id, WorkOrder.round, WorkOrder.acknowledge_due_at)
    ).all()
    _tell_missed(session, late, now=now)
    return len(late)


def _tell_missed(session: Session, orders: Sequence[Told], *, now: datetime) -> None:
    raise_alerts(session, [missed("acknowledgement_missed", order) for order in orders], now=now)
    publish(
        session,
        *(
            AcknowledgementMissed(
                request_id=order.request_id,
                round=order.round,
                site_id=order.site_id,
                department=order.department,
                due_at=order.acknowledge_due_at,
            )
            for order in orders
        ),
    )


def decline(session: Session, *, work_order_id: UUID, reason: str, actor: Actor, now: datetime) -> WorkOrder:
    """The department refuses a notice, with its reason; the desk agrees anew with the owner, or withdraws it [D27]."""
    order = work_order_for(session, actor, work_order_id)
    check_declinable(order.round)
    order.state = WORK_ORDER.move(order.state, WorkStep.DECLINE)
    order.declined_at, order.reason = now, reason
    order.workers, order.assigned_at, order.assigned_by = [], None, None
    session.add(
        Decline(
            work_order_id=order.id,
            revision=order.revision,
            reason=reason,
            declined_by=actor.person_id,
            declined_at=now,
        )
    )
    publish(
        session,
        WorkDeclined(
            request_id=order.request_id,
            revision=order.revision,
            site_id=order.site_id,
            department=order.department,
            declined_by=actor.person_id,
            reason=reason,
            declined_at=now,
        ),
    )
    return order


def return_notice(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The department's copy is back at the desk after the job, once [R101, D27]."""
    order = work_order_for(session, actor, work_order_id)
    check_returnable(order.state, returned=order.returned_at is not None)
    order.returned_at, order.returned_by = now, actor.person_id
    publish(
        session,
        NoticeReturned(
            request_id=order.request_id,
            round=order.round,
            site_id=order.site_id,
            returned_by=actor.person_id,
            returned_at=now,
        ),
    )
    return order
