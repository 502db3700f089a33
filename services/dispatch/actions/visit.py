"""The visit: at the desk, at the door, support and stop, done or ended undone [R45, R60-R67, R99-R101]."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import ARRIVE, DutyOverride, Person, Stop, WorkOrder
from services.dispatch.queries import done_days
from services.dispatch.rules.duty import Shift, WorkerDuty, check_duty
from services.dispatch.rules.punctuality import is_late
from services.dispatch.rules.work_order import WORK_ORDER, WorkStep
from shared.bus.outbox import publish
from shared.calendar import business_month, local
from shared.ids import new_id
from shared.messages import SupportRequested, WorkTerminated
from shared.people import Actor, site_for


def check_in(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """A worker reports at the desk and goes with the owner [R45, R99]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.CHECK_IN)
    order.checked_in_at = now
    return order


def arrive(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The workers are at the home and start, all of them with their duties of the day done [R50, R101, D8]."""
    order = work_order_for(session, actor, work_order_id)
    here = local(now, site_for(session, actor, order.site_id).zone)
    team = _duties(session, order, here)
    order.state = WORK_ORDER.move(order.state, WorkStep.ARRIVE)
    check_duty(team, here=here)
    order.arrived_at, order.arrived_late = now, is_late(order.arrive_due_at, now)
    return order


def _duties(session: Session, order: WorkOrder, here: datetime) -> list[WorkerDuty]:
    ids = [worker.person_id for worker in order.workers]
    done = done_days(session, ids, near=here.date())
    overridden = set(session.scalars(select(DutyOverride.worker_id).where(DutyOverride.work_order_id == order.id)))
    return [
        WorkerDuty(
            name=person.name,
            shift=Shift(person.shift_start, person.shift_end),
            done=done.get(person.id, frozenset()),
            overridden=person.id in overridden,
        )
        for person in session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.name))
    ]


def stop(
    session: Session, *, work_order_id: UUID, reason: str, for_safety: bool, actor: Actor, now: datetime
) -> WorkOrder:
    """The worker cannot go on: he needs support, or it is not safe [R65-R67]; head and desk see it at once [D24]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.STOP)
    session.add(
        Stop(
            id=new_id(),
            work_order_id=order.id,
            worker_id=actor.person_id,
            for_safety=for_safety,
            reason=reason,
            stopped_at=now,
        )
    )
    publish(
        session,
        SupportRequested(
            request_id=order.request_id,
            round=order.round,
            site_id=order.site_id,
            worker_id=actor.person_id,
            for_safety=for_safety,
            reason=reason,
            requested_at=now,
        ),
    )
    return order


def resume(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The head sent support: the work goes on [R67]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.RESUME)
    session.execute(
        update(Stop)
        .where(Stop.work_order_id == order.id, Stop.resumed_at.is_(None))
        .values(resumed_at=now, resumed_by=actor.person_id)
    )
    return order


def finish(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The work is done; owner or occupant is asked to check it [R31]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.FINISH)
    order.finished_at = now
    return order


def terminate(
    session: Session,
    *,
    work_order_id: UUID,
    cause: Literal["unable", "safety", "owner"],
    reason: str,
    actor: Actor,
    now: datetime,
) -> WorkOrder:
    """The job ends undone, with its reason, and nothing is billed [R62, R67, D24]."""
    order = work_order_for(session, actor, work_order_id)
    site = site_for(session, actor, order.site_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.TERMINATE)
    order.terminated_at, order.terminated_by = now, actor.person_id
    order.terminated_month = business_month(now, zone=site.zone, closing=site.closing)
    order.cause, order.reason = cause, reason
    publish(
        session,
        WorkTerminated(
            request_id=order.request_id,
            round=order.round,
            site_id=order.site_id,
            department=order.department,
            cause=cause,
            reason=reason,
            terminated_at=now,
        ),
    )
    return order


def note_late(session: Session, *, now: datetime) -> int:
    """The minutes to arrive are over and nobody is at the home [R30, R101, D4]: late, whenever they come."""
    late = session.scalars(
        update(WorkOrder)
        .where(WorkOrder.id.in_(ARRIVE.claim(WorkOrder.id, now=now)))
        .values(late_noted_at=now, arrived_late=True)
        .returning(WorkOrder.id)
    )
    return len(late.all())
