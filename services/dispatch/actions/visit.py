"""The visit: at the desk, at the door, support and stop, done or ended undone [R45, R58-R62, R64-R67, R99-R101]."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from services.dispatch.actions import hours
from services.dispatch.actions.alert import TOLD, for_head, missed
from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import ARRIVE, DutyOverride, Person, Site, Stop, Telling, WorkOrder
from services.dispatch.queries.duties import duties_near
from services.dispatch.queries.people import certificates_of
from services.dispatch.rules.certificate import check_certified
from services.dispatch.rules.duty import Shift, WorkerDuty, check_duty
from services.dispatch.rules.punctuality import PunctualityPolicy, is_late
from services.dispatch.rules.visit import check_materials_bought, check_owner_told, check_start
from services.dispatch.rules.work_order import WORK_ORDER, WorkStep
from shared.alerts import raise_alerts
from shared.bus.outbox import publish
from shared.calendar import business_month, local
from shared.ids import new_id
from shared.messages import SupportRequested, WorkTerminated
from shared.people import Actor, site_for
from shared.policy_rows import in_force


def check_in(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """A worker reports at the desk and goes with the owner [R45, R99]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.CHECK_IN)
    order.checked_in_at = now
    return order


def arrive(session: Session, *, work_order_id: UUID, actor: Actor, now: datetime) -> WorkOrder:
    """The workers are at the home and start, their duties of the day done, all of them [R30, R45, R50, R66, R101]."""
    order = work_order_for(session, actor, work_order_id)
    site = session.get_one(Site, order.site_id)
    here = local(now, site.zone)
    people = _people(session, order)
    team = _duties(session, order, people, site, here)
    policy = in_force(session, PunctualityPolicy, site_id=order.site_id, at=now)
    order.state = WORK_ORDER.move(order.state, WorkStep.ARRIVE)
    check_start(
        visit_from=order.visit_from,
        owner_waits=order.owner_waits,
        checked_in=order.checked_in_at is not None,
        now=now,
        policy=policy,
    )
    # the visit may have been moved, or a certificate withdrawn, since they were chosen
    check_certified([(person.name, certificates_of(person)) for person in people], order.trade, day=here.date())
    check_duty(team, here=here)
    order.arrived_at, order.arrived_late = now, is_late(order.arrive_due_at, now)
    if order.arrived_late and order.late_noted_at is None:  # else the sweep told the head
        raise_alerts(session, [missed("arrival_late", order)], now=now)
    return order


def _people(session: Session, order: WorkOrder) -> Sequence[Person]:
    ids = [worker.person_id for worker in order.workers]
    return session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.name)).all()


def _duties(
    session: Session, order: WorkOrder, people: Sequence[Person], site: Site, here: datetime
) -> list[WorkerDuty]:
    days = duties_near(session, [person.id for person in people], here.date())
    overridden = set(session.scalars(select(DutyOverride.worker_id).where(DutyOverride.work_order_id == order.id)))
    return [
        WorkerDuty(
            name=person.name,
            shift=Shift(person.shift_start, person.shift_end),
            days=days[person.id],
            holidays=frozenset(site.holidays),
            overridden=person.id in overridden,
        )
        for person in people
    ]


def check_materials(
    session: Session, *, work_order_id: UUID, complete: bool, note: str | None, actor: Actor, now: datetime
) -> WorkOrder:
    """Before the work: whether the owner has bought all that is needed, or nothing is; the last look counts [R58]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.CHECK_MATERIALS)
    order.materials_complete, order.materials_note, order.materials_checked_at = complete, note, now
    return order


def tell_owner(
    session: Session,
    *,
    work_order_id: UUID,
    kind: Literal["asked", "told"],
    note: str,
    actor: Actor,
    now: datetime,
) -> WorkOrder:
    """The worker asks the owner about what he does not know, or tells him what is difficult [R60, R61, R65]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.TELL_OWNER)
    session.add(
        Telling(id=new_id(), work_order_id=order.id, kind=kind, note=note, said_by=actor.person_id, said_at=now)
    )
    return order


def stop(
    session: Session, *, work_order_id: UUID, reason: str, for_safety: bool, actor: Actor, now: datetime
) -> WorkOrder:
    """The worker cannot go on: he needs support, or it is not safe [R65-R67]; head and desk are told at once [D24]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.STOP)
    stopped = Stop(
        id=new_id(),
        work_order_id=order.id,
        worker_id=actor.person_id,
        for_safety=for_safety,
        reason=reason,
        stopped_at=now,
    )
    session.add(stopped)
    kind = "stopped_for_safety" if for_safety else "support_requested"
    raise_alerts(session, [for_head(kind, order, stopped.id, reason=reason)], now=now)
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
    """The work is done, with what the owner bought; owner or occupant is asked to check it [R31, R58]."""
    order = work_order_for(session, actor, work_order_id)
    site = site_for(session, actor, order.site_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.FINISH)
    check_materials_bought(order.materials_complete)
    order.finished_at = now
    order.finished_month = business_month(now, zone=site.zone, closing=site.closing)
    hours.warn(session, order, order.finished_month, now=now)
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
    told = session.scalar(select(exists().where(Telling.work_order_id == order.id, Telling.kind == "told")))
    order.state = WORK_ORDER.move(order.state, WorkStep.TERMINATE)
    check_owner_told(cause, told=bool(told), at_home=order.arrived_at is not None)
    order.terminated_at, order.terminated_by = now, actor.person_id
    order.terminated_month = business_month(now, zone=site.zone, closing=site.closing)
    order.cause, order.reason = cause, reason
    if order.arrived_at is not None and order.finished_at is None:
        hours.warn(session, order, order.terminated_month, now=now)
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
    """The minutes to arrive are over and nobody is at the home [R30, R101, D4]: late, and the head is told."""
    late = session.execute(
        update(WorkOrder)
        .where(WorkOrder.id.in_(ARRIVE.claim(WorkOrder.id, now=now)))
        .values(late_noted_at=now, arrived_late=True)
        .returning(*TOLD)
    ).all()
    raise_alerts(session, [missed("arrival_late", order) for order in late], now=now)
    return len(late)
