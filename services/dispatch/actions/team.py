"""The head chooses who goes, and answers for a worker he sends with his duties undone [R30, R66, D8, D15]."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.dispatch.actions.alert import TOLD, for_head
from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import ASSIGN, Assignment, DutyOverride, Person, WorkOrder
from services.dispatch.queries.people import colleague
from services.dispatch.queries.teams import job_of
from services.dispatch.rules.punctuality import is_late
from services.dispatch.rules.team import Colleague, Member, choose_team
from services.dispatch.rules.work_order import WORK_ORDER, WorkStep
from shared.alerts import raise_alerts
from shared.bus.outbox import publish
from shared.db import held_by
from shared.errors import RuleBroken
from shared.ids import new_id
from shared.messages import DutyOverridden, WorkAssigned
from shared.people import Actor, site_for


def assign(
    session: Session, *, work_order_id: UUID, members: Sequence[Member], actor: Actor, now: datetime
) -> WorkOrder:
    """Send these workers, with their weights; until they have left for the home it may be chosen anew [R30]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.ASSIGN)
    people = _colleagues(session, [member.person_id for member in members])
    team = choose_team(members, people, job_of(order, site_for(session, actor, order.site_id).zone))
    order.workers = [
        Assignment(work_order_id=order.id, position=position, **held_by(Assignment, worker))
        for position, worker in enumerate(team)
    ]
    if order.assigned_at is None:
        order.assign_late = is_late(order.assign_due_at, now)
    order.assigned_at, order.assigned_by = now, actor.person_id
    publish(
        session,
        WorkAssigned(
            request_id=order.request_id, round=order.round, site_id=order.site_id, workers=team, assigned_at=now
        ),
    )
    return order


def _colleagues(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, Colleague]:
    return {person.id: colleague(person) for person in session.scalars(select(Person).where(Person.id.in_(person_ids)))}


def override_duty(
    session: Session, *, work_order_id: UUID, worker_id: UUID, reason: str, actor: Actor, now: datetime
) -> DutyOverride:
    """Let a worker of this job go although his duties are not done; hr hears who let him and why [R50, R78, D8]."""
    order = work_order_for(session, actor, work_order_id)
    order.state = WORK_ORDER.move(order.state, WorkStep.OVERRIDE)
    if worker_id not in {worker.person_id for worker in order.workers}:
        raise RuleBroken("not_on_this_job", f"{worker_id} is not assigned to this work order", rule="D8")
    known = select(DutyOverride.id).where(DutyOverride.work_order_id == order.id, DutyOverride.worker_id == worker_id)
    if session.scalars(known).one_or_none():
        raise RuleBroken("overridden_already", "this worker may go to this job already", rule="D8")
    override = DutyOverride(
        id=new_id(),
        work_order_id=order.id,
        worker_id=worker_id,
        head_id=actor.person_id,
        reason=reason,
        overridden_at=now,
    )
    session.add(override)
    publish(
        session,
        DutyOverridden(
            override_id=override.id,
            request_id=order.request_id,
            site_id=order.site_id,
            department=order.department,
            worker_id=worker_id,
            head_id=actor.person_id,
            reason=reason,
            overridden_at=now,
        ),
    )
    return override


def note_unassigned(session: Session, *, now: datetime) -> int:
    """The hours to assign a rework are over [D4]: late for good, and the head is told [R38]."""
    late = session.execute(
        update(WorkOrder)
        .where(WorkOrder.id.in_(ASSIGN.claim(WorkOrder.id, now=now)))
        .values(assign_late=True)
        .returning(*TOLD)
    ).all()
    raise_alerts(session, [for_head("rework_not_assigned", order) for order in late], now=now)
    return len(late)
