"""Who might be sent to a job, and who is free [R30, R50, R60, R66]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from services.dispatch.models import OPEN, Assignment, HeldCertificate, Person, Site, WorkOrder
from services.dispatch.queries.duties import duties_near
from services.dispatch.queries.hours import paid_visits
from services.dispatch.queries.people import HOME_SITE, colleague, workers_of
from services.dispatch.queries.work_orders import order_of, orders_of
from services.dispatch.rules.certificate import is_certified, valid_until
from services.dispatch.rules.duty import UNKNOWN, DutiesOfDay, Shift
from services.dispatch.rules.team import Job, is_skilled, why_not
from services.dispatch.rules.work_order import WorkState
from shared.calendar import business_month, local
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
class CertificateView:
    """A certificate a worker holds, and its last day [R66]."""

    person_id: UUID
    kind: str
    number: str
    valid_until: date


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
    return candidates_for(session, [order_of(session, actor, work_order_id)], now=now)[work_order_id]


def candidates_to_assign(session: Session, actor: Actor, *, now: datetime) -> dict[UUID, list[CandidateView]]:
    """Order -> who might be sent, for each order whose workers the department is still to choose."""
    waiting = select(WorkOrder).where(orders_of(actor), WorkOrder.state == WorkState.ACKNOWLEDGED)
    return candidates_for(session, session.scalars(waiting).all(), now=now)


def candidates_for(session: Session, orders: Sequence[WorkOrder], *, now: datetime) -> dict[UUID, list[CandidateView]]:
    """Order -> who might be sent, in as many statements for many orders as for one; the orders are the actor's own."""
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.id.in_({o.site_id for o in orders})))}
    people = session.scalars(
        select(Person)
        .where(
            Person.role == "worker",
            Person.active,
            Person.department.in_({order.department for order in orders}),
            or_(Person.all_sites, Person.site_ids.bool_op("&&")(sorted(sites))),
        )
        .order_by(Person.name, Person.id)
    ).all()
    ids = [person.id for person in people]
    months = {site.id: business_month(now, zone=site.zone, closing=site.closing) for site in sites.values()}
    with across_sites(session):  # what he has to do and did, wherever
        of_days = duties_near(session, ids, now.date())
        visits = _visits_to_come(session, ids, [order.visit_from for order in orders])
        visited = {month: paid_visits(session, month, ids) for month in set(months.values())}
    found = {}
    for order in orders:
        site = sites[order.site_id]
        there = [person for person in people if person.department == order.department and _works_at(person, site.id)]
        month = visited[months[site.id]]
        found[order.id] = sorted(
            (_candidate(person, order, site, of_days[person.id], visits, month, now) for person in there),
            key=lambda one: (not one.may, one.in_shift and not one.duties_done, one.open_jobs, one.paid_minutes),
        )
    return found


def _works_at(person: Person, site_id: UUID) -> bool:
    return person.all_sites or site_id in person.site_ids


def _candidate(  # noqa: PLR0917  # what was read for all of them at once
    person: Person,
    order: WorkOrder,
    site: Site,
    days: Mapping[date, DutiesOfDay],
    visits: Sequence[tuple[UUID, UUID, datetime]],
    visited: Mapping[UUID, tuple[int, int]],
    now: datetime,
) -> CandidateView:
    job, visit_here, here = job_of(order, site.zone), local(order.visit_from, site.zone), local(now, site.zone)
    who, shift = colleague(person), Shift(person.shift_start, person.shift_end)
    refusal = why_not(who, person.id, job)
    of_that_day = [
        order_id
        for person_id, order_id, at in visits
        if person_id == person.id and order_id != order.id and local(at, site.zone).date() == job.day
    ]
    return CandidateView(
        person_id=person.id,
        name=person.name,
        may=not refusal,
        why_not=refusal,
        skilled=is_skilled(who, order.trade),
        certified=is_certified(order.trade, who.certificates, day=job.day),
        certificate_until=valid_until(order.trade, who.certificates),
        in_shift=shift.covers(visit_here.time()) and shift.day(visit_here) not in site.holidays,
        duties_done=days.get(shift.day(here), UNKNOWN).done,
        open_jobs=len(of_that_day),
        paid_minutes=visited.get(person.id, (0, 0))[1],
    )


def _visits_to_come(
    session: Session, person_ids: Sequence[UUID], around: Sequence[datetime]
) -> list[tuple[UUID, UUID, datetime]]:
    """(person, order, visit) of the jobs that have not ended, from the day before the first of these visits on."""
    if not around:
        return []
    rows = session.execute(
        select(Assignment.person_id, WorkOrder.id, WorkOrder.visit_from)
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(
            OPEN,
            Assignment.person_id.in_(person_ids),
            WorkOrder.visit_from >= min(around) - timedelta(days=1),
            WorkOrder.visit_from < max(around) + timedelta(days=1),
        )
    )
    return [(row.person_id, row.id, row.visit_from) for row in rows]


def _open_jobs(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many jobs that are not ended each person has."""
    rows = session.execute(
        select(Assignment.person_id, func.count())
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(OPEN, Assignment.person_id.in_(person_ids))
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


def certificates(session: Session, actor: Actor) -> list[CertificateView]:
    """What the person's workers hold, what ends first first."""
    rows = session.scalars(
        select(HeldCertificate)
        .join(Person, Person.id == HeldCertificate.person_id)
        .where(workers_of(actor, "read_workers"))
        .order_by(HeldCertificate.valid_until, HeldCertificate.id)
    )
    return [CertificateView(row.person_id, row.kind, row.number, row.valid_until) for row in rows]
