"""Regular work was found undone because of paid work: hr hears which head answers for it [R50, R51, R78]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.dispatch.actions.duty import worker_for
from services.dispatch.models import DutyOverride, Neglect, Person, Site, WorkOrder
from services.dispatch.queries.people import person_at_home
from services.dispatch.rules.duty import Shift, check_cited, check_finding
from shared.access import at_sites_of
from shared.bus.outbox import publish
from shared.calendar import local
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import DutyNeglected
from shared.people import Actor


def find(
    session: Session,
    *,
    worker_id: UUID,
    day: date,
    reason: str,
    override_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> Neglect:
    """Record what was found, once for a worker and day; who let him go answers, else the head of his department."""
    worker = worker_for(session, actor, worker_id, "find_neglect")
    check_finding(day=day, today=local(now, person_at_home(session, worker_id)[1]).date())
    if override_id:
        site_id, head_id = _overrider(session, actor, override_id, worker, day)
    else:
        site_id, head_id = _head(session, actor, worker)
    found = session.scalars(
        insert(Neglect)
        .values(
            id=new_id(),
            worker_id=worker_id,
            day=day,
            site_id=site_id,
            department=worker.department,
            head_id=head_id,
            override_id=override_id,
            reason=reason,
            found_by=actor.person_id,
            found_at=now,
        )
        .on_conflict_do_nothing(index_elements=["worker_id", "day"])
        .returning(Neglect)
    ).one_or_none()
    if found is None:
        raise RuleBroken("found_already", f"the work {worker.name} left undone on {day} is known", rule="R78")
    publish(
        session,
        DutyNeglected(
            neglect_id=found.id,
            override_id=override_id,
            site_id=site_id,
            department=found.department,
            worker_id=worker_id,
            head_id=head_id,
            day=day,
            reason=reason,
            found_by=actor.person_id,
            found_at=now,
        ),
    )
    return found


def _overrider(session: Session, actor: Actor, override_id: UUID, worker: Person, day: date) -> tuple[UUID, UUID]:
    """(site, head) of the override that let this worker go on that day. Raises NotFound, RuleBroken."""
    went_at = func.coalesce(WorkOrder.arrived_at, WorkOrder.visit_from)
    row = session.execute(
        select(WorkOrder.site_id, DutyOverride.head_id, Site.zone, went_at.label("went_at"))
        .join(WorkOrder, WorkOrder.id == DutyOverride.work_order_id)
        .join(Site, Site.id == WorkOrder.site_id)
        .where(
            DutyOverride.id == override_id,
            DutyOverride.worker_id == worker.id,
            at_sites_of(actor, WorkOrder.site_id),
        )
    ).one_or_none()
    if row is None:
        raise NotFound("override", override_id)
    shift = Shift(worker.shift_start, worker.shift_end)
    check_cited(day=day, went_on=shift.day(local(row.went_at, row.zone)))
    return row.site_id, row.head_id


def _head(session: Session, actor: Actor, worker: Person) -> tuple[UUID, UUID]:
    """(site, head) of a worker's department, at the first of his sites that has one. Raises RuleBroken."""
    his_sites = true() if worker.all_sites else Site.id.in_(worker.site_ids)
    row = session.execute(
        select(Site.id, Person.id.label("head_id"))
        .join(Person, or_(Person.all_sites, Site.id == Person.site_ids.any_()))
        .where(
            his_sites,
            at_sites_of(actor, Site.id),
            Person.role == "head",
            Person.active,
            Person.department == worker.department,
        )
        .order_by(Site.code, Person.all_sites, Person.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise RuleBroken("no_head", f"nobody heads {worker.department} where {worker.name} works", rule="R78")
    return row.id, row.head_id
