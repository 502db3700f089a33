"""Who might be sent to a job, and who is free [R30, R50, R60, R66]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, any_, func, or_, select
from sqlalchemy.orm import Session

from services.dispatch.models import OPEN, Assignment, Person, Site, WorkOrder
from services.dispatch.queries.duties import duties_near
from services.dispatch.queries.hours import paid_visits
from services.dispatch.queries.people import HOME_SITE, colleague, workers_of
from services.dispatch.queries.work_orders import order_of
from services.dispatch.rules.certificate import is_certified, valid_until
from services.dispatch.rules.duty import UNKNOWN, Shift
from services.dispatch.rules.team import Job, is_skilled, why_not
from shared.calendar import business_month, local, moment
from shared.people import Actor
from shared.walls import across_sites


@dataclass(frozen=True)
class CandidateView:
    """A worker who might be sent to a job: whether he may, else why not, and what the head weighs [R30, R50].

    `in_shift` is at the time of the visit, `duties_done` today, `open_jobs` on the day of the visit, and
    `paid_minutes` this month. `certificate_until` is of the kind the trade needs.
    """

    person_id: UUID
    name: str
    may: bool
    why_not: str
    skilled: bool
    certified: bool
    certificate_until: date | None
    in_shift: bool
    duties_done: bool
    open_jobs: int
    paid_minutes: int


@dataclass(frozen=True)
class ColleagueView:
    """A worker, whether his duties of today are done, and how many jobs he has that are not ended."""

    person_id: UUID
    name: str
    department: str
    duties_done_today: bool
    open_orders: int


def job_of(order: WorkOrder, zone: str) -> Job:
    """What the rule of who may be sent needs to know of an order."""
    return Job(order.department, order.site_id, order.trade, local(order.visit_from, zone).date())


def candidates(session: Session, actor: Actor, work_order_id: UUID, *, now: datetime) -> list[CandidateView]:
    """The department's workers at the order's site, the best to send first: who may, is free and has done least."""
    order = order_of(session, actor, work_order_id)
    site = session.get_one(Site, order.site_id)
    job, visit_here = job_of(order, site.zone), local(order.visit_from, site.zone)
    people = session.scalars(
        select(Person)
        .where(
            Person.role == "worker",
            Person.active,
            Person.department == order.department,
            or_(Person.all_sites, any_(Person.site_ids) == order.site_id),
        )
        .order_by(Person.name, Person.id)
    ).all()
    ids = [person.id for person in people]
    here = local(now, site.zone)
    with across_sites(session):  # what he has to do and did, wherever
        of_days = duties_near(session, ids, here.date())
        load = _open_jobs(
            session,
            ids,
            WorkOrder.id != order.id,
            WorkOrder.visit_from >= moment(job.day, time(0), site.zone),
            WorkOrder.visit_from < moment(job.day + timedelta(days=1), time(0), site.zone),
        )
        visited = paid_visits(session, business_month(now, zone=site.zone, closing=site.closing), ids)
    shown = []
    for person in people:
        who, shift = colleague(person), Shift(person.shift_start, person.shift_end)
        refusal = why_not(who, person.id, job)
        shown.append(
            CandidateView(
                person_id=person.id,
                name=person.name,
                may=not refusal,
                why_not=refusal,
                skilled=is_skilled(who, order.trade),
                certified=is_certified(order.trade, who.certificates, day=job.day),
                certificate_until=valid_until(order.trade, who.certificates),
                in_shift=shift.covers(visit_here.time()) and shift.day(visit_here) not in site.holidays,
                duties_done=of_days[person.id].get(shift.day(here), UNKNOWN).done,
                open_jobs=load.get(person.id, 0),
                paid_minutes=visited.get(person.id, (0, 0))[1],
            )
        )
    return sorted(
        shown, key=lambda one: (not one.may, one.in_shift and not one.duties_done, one.open_jobs, one.paid_minutes)
    )


def _open_jobs(session: Session, person_ids: Sequence[UUID], *but: ColumnElement[bool]) -> dict[UUID, int]:
    """How many jobs that are not ended each person has, of those that meet the conditions."""
    rows = session.execute(
        select(Assignment.person_id, func.count())
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(OPEN, Assignment.person_id.in_(person_ids), *but)
        .group_by(Assignment.person_id)
    )
    return {person_id: howmany for person_id, howmany in rows}  # noqa: C416  # a row is no pair to mypy


def workers(session: Session, actor: Actor, *, now: datetime) -> list[ColleagueView]:
    """The person's workers, by name: who is free to be sent."""
    with across_sites(session):
        rows = session.execute(
            select(Person, Site.zone)
            .join(Site, Site.id == HOME_SITE)
            .where(workers_of(actor, "read_workers"))
            .order_by(Person.name, Person.id)
        ).all()
        ids = [person.id for person, _ in rows]
        of_days, load = duties_near(session, ids, now.date()), _open_jobs(session, ids)
    return [
        ColleagueView(
            person.id,
            person.name,
            person.department,
            of_days[person.id][Shift(person.shift_start, person.shift_end).day(local(now, zone))].done,
            load.get(person.id, 0),
        )
        for person, zone in rows
    ]
