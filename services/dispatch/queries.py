"""Reads of the departments: frozen views for the API, each limited to the sites and orders of the person asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, func, or_, select, text, true
from sqlalchemy.orm import Session, selectinload

from services.dispatch.models import OPEN, Assignment, Consultation, Neglect, Person, PrescribedDuty, Site, WorkOrder
from services.dispatch.rules.acceptance import SettlementList
from services.dispatch.rules.certificate import is_certified, valid_until
from services.dispatch.rules.duty import UNKNOWN, DutiesOfDay, Shift
from services.dispatch.rules.hours import HoursPolicy, is_near, is_over
from services.dispatch.rules.privacy import phone_shown
from services.dispatch.rules.team import Colleague, Job, is_skilled, why_not
from services.dispatch.rules.work_order import ENDED
from shared.access import at_sites_of
from shared.calendar import business_month, local, moment
from shared.errors import NotFound
from shared.messages import Certificate, FeeItem
from shared.paging import Page, page_of
from shared.people import Actor
from shared.policy_rows import in_force_at


@dataclass(frozen=True)
class WorkerView:
    """A worker of a job and his weight."""

    person_id: UUID
    name: str
    weight: int


@dataclass(frozen=True)
class TellingView:
    """What the owner was asked or told at the home, and what he said [R61, R65]."""

    kind: str
    note: str
    said_by: UUID
    said_at: datetime


@dataclass(frozen=True)
class DamageView:
    """What was damaged on a visit, and its estimated worth (fen) [R63]."""

    id: UUID
    description: str
    estimate_fen: int | None
    reported_by: UUID
    reported_at: datetime


@dataclass(frozen=True)
class OverrideView:
    """A head's leave for a worker to go with his duties undone: what a finding of neglect may cite [D8, R78]."""

    id: UUID
    worker_id: UUID
    head_id: UUID
    reason: str
    overridden_at: datetime


@dataclass(frozen=True)
class SettlementListView:
    """The settlement list 结算清单 as the owner is shown it before he signs, with the hash of exactly that (fen)."""

    notice_number: str
    round: int
    revision: int
    description: str
    items: list[FeeItem]
    fee_fen: int
    price_version: int | None
    materials: str
    hash: str


@dataclass(frozen=True)
class WorkOrderView:
    """A work order, whole: the notice's copy, the visit, the signature or the end (fee in fen, 0 for rework)."""

    id: UUID
    request_id: UUID
    round: int
    notice_number: str
    site_id: UUID
    department: str
    trade: str
    channel: str | None
    owner_name: str
    address: str
    phone: str
    description: str
    visit_from: datetime
    visit_to: datetime
    fee_fen: int
    items: list[FeeItem]
    price_version: int | None
    revision: int
    owner_waits: bool
    state: str
    received_at: datetime
    acknowledge_due_at: datetime
    acknowledged_at: datetime | None
    acknowledge_late: bool
    assign_due_at: datetime | None
    assigned_at: datetime | None
    assign_late: bool
    workers: list[WorkerView]
    checked_in_at: datetime | None
    arrive_due_at: datetime
    arrived_at: datetime | None
    arrived_late: bool
    materials_complete: bool | None
    materials_note: str | None
    tellings: list[TellingView]
    damages: list[DamageView]
    finished_at: datetime | None
    accepted_at: datetime | None
    accepted_month: str | None
    signer_name: str | None
    relation: str | None
    signed_hash: str | None
    terminated_at: datetime | None
    cause: str | None
    cancelled_at: datetime | None
    declined_at: datetime | None
    reason: str | None
    returned_at: datetime | None
    returned_by: UUID | None
    stopped_reason: str | None
    stopped_for_safety: bool | None
    overrides: int
    overridden: list[OverrideView]


@dataclass(frozen=True)
class DutyView:
    """A worker's duties of a day: done, and since when; how many are prescribed and ticked; found good, or not."""

    person_id: UUID
    name: str
    day: date
    done: bool
    done_at: datetime | None
    prescribed: int
    ticked: int
    good: bool | None


@dataclass(frozen=True)
class DutyDoneView:
    """The moment a worker's duties of a day were done."""

    person_id: UUID
    day: date
    done_at: datetime


@dataclass(frozen=True)
class PrescribedDutyView:
    """Regular work that is prescribed: to all workers of the department at the site, a shift, or one person."""

    id: UUID
    site_id: UUID
    department: str
    name: str
    person_id: UUID | None
    shift: str | None
    since: date
    until: date | None


@dataclass(frozen=True)
class MyDutyView:
    """One of the worker's duties of today, and when he did it."""

    duty_id: UUID
    site_id: UUID
    name: str
    ticked_at: datetime | None


@dataclass(frozen=True)
class MyDutiesView:
    """The worker's duties of his day: each of them, whether the day is done, and what the head found."""

    day: date
    done: bool
    good: bool | None
    duties: list[MyDutyView]


@dataclass(frozen=True)
class NeglectView:
    """Regular work found undone because of paid work, and the head who answers for it [R78]."""

    id: UUID
    worker_id: UUID
    day: date
    site_id: UUID
    department: str
    head_id: UUID
    override_id: UUID | None
    reason: str
    found_by: UUID
    found_at: datetime


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
class HoursView:
    """A worker's paid visits of a month: minutes at homes, and whether they come near the limit or pass it [R68]."""

    person_id: UUID
    name: str
    month: str
    visits: int
    minutes: int
    near_limit: bool
    over_limit: bool


@dataclass(frozen=True)
class ConsultationView:
    """A question of the desk to a department, and its answer."""

    id: UUID
    request_id: UUID
    site_id: UUID
    department: str
    question: str
    reply_due_at: datetime
    received_at: datetime
    answer: str | None
    answered_by: UUID | None
    answered_at: datetime | None


@dataclass(frozen=True)
class ColleagueView:
    """A worker, whether his duties of today are done, and how many jobs he has that are not ended."""

    person_id: UUID
    name: str
    department: str
    duties_done_today: bool
    open_orders: int


WHOLE = (
    selectinload(WorkOrder.workers),
    selectinload(WorkOrder.stops),
    selectinload(WorkOrder.overrides),
    selectinload(WorkOrder.signature),
    selectinload(WorkOrder.tellings),
    selectinload(WorkOrder.damages),
)


def orders_of(actor: Actor) -> ColumnElement[bool]:
    """The orders a person sees: of his sites; a head of his department, a worker those he is assigned to."""
    at_his_sites = at_sites_of(actor, WorkOrder.site_id)
    if actor.role == "head":
        return and_(at_his_sites, WorkOrder.department == actor.department)
    if actor.role == "worker":
        return and_(at_his_sites, WorkOrder.workers.any(Assignment.person_id == actor.person_id))
    return at_his_sites


def workers_of(actor: Actor) -> ColumnElement[bool]:
    """The active workers a person sees: those at his sites; a head those of his department, a worker himself."""
    sites = (
        true()
        if actor.site_ids is None
        else or_(Person.all_sites, Person.site_ids.bool_op("&&")(sorted(actor.site_ids)))
    )
    his: ColumnElement[bool] = true()
    if actor.role == "head":
        his = Person.department == actor.department
    if actor.role == "worker":
        his = Person.id == actor.person_id
    return and_(Person.role == "worker", Person.active, sites, his)


def work_order_view(order: WorkOrder, actor: Actor) -> WorkOrderView:
    """What `actor` is shown of an order loaded with WHOLE; the phone number only who needs it [D26]."""
    signed = order.signature
    stopped = order.stops[-1] if order.stops else None
    return WorkOrderView(
        id=order.id,
        request_id=order.request_id,
        round=order.round,
        notice_number=order.notice_number,
        site_id=order.site_id,
        department=order.department,
        trade=order.trade,
        channel=order.channel,
        owner_name=order.owner_name,
        address=order.address,
        phone=phone_shown(order.phone, role=actor.role, ended=order.state in ENDED),
        description=order.description,
        visit_from=order.visit_from,
        visit_to=order.visit_to,
        fee_fen=order.fee_fen,
        items=fee_items(order),
        price_version=order.price_version,
        revision=order.revision,
        owner_waits=order.owner_waits,
        state=order.state,
        received_at=order.received_at,
        acknowledge_due_at=order.acknowledge_due_at,
        acknowledged_at=order.acknowledged_at,
        acknowledge_late=order.acknowledge_late,
        assign_due_at=order.assign_due_at,
        assigned_at=order.assigned_at,
        assign_late=order.assign_late,
        workers=[WorkerView(worker.person_id, worker.name, worker.weight) for worker in order.workers],
        checked_in_at=order.checked_in_at,
        arrive_due_at=order.arrive_due_at,
        arrived_at=order.arrived_at,
        arrived_late=order.arrived_late,
        materials_complete=order.materials_complete,
        materials_note=order.materials_note,
        tellings=[TellingView(row.kind, row.note, row.said_by, row.said_at) for row in order.tellings],
        damages=[
            DamageView(row.id, row.description, row.estimate_fen, row.reported_by, row.reported_at)
            for row in order.damages
        ],
        finished_at=order.finished_at,
        accepted_at=order.accepted_at,
        accepted_month=order.accepted_month,
        signer_name=signed.signer_name if signed else None,
        relation=signed.relation if signed else None,
        signed_hash=signed.signed_hash if signed else None,
        terminated_at=order.terminated_at,
        cause=order.cause,
        cancelled_at=order.cancelled_at,
        declined_at=order.declined_at,
        reason=order.reason,
        returned_at=order.returned_at,
        returned_by=order.returned_by,
        stopped_reason=stopped.reason if stopped else None,
        stopped_for_safety=stopped.for_safety if stopped else None,
        overrides=len(order.overrides),
        overridden=[
            OverrideView(row.id, row.worker_id, row.head_id, row.reason, row.overridden_at) for row in order.overrides
        ],
    )


def _order(session: Session, actor: Actor, work_order_id: UUID) -> WorkOrder:
    session.flush()
    order = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.id == work_order_id, orders_of(actor))
        .options(*WHOLE)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise NotFound("work order", work_order_id)
    return order


def work_order_by_id(session: Session, actor: Actor, work_order_id: UUID) -> WorkOrderView:
    """One work order. Raises NotFound when it is none of the person's."""
    return work_order_view(_order(session, actor, work_order_id), actor)


def fee_items(order: WorkOrder) -> list[FeeItem]:
    """The lines of an order's fee."""
    return [FeeItem.model_validate(item) for item in order.items]


def settlement_list(order: WorkOrder) -> SettlementList:
    """What an owner is shown of an order before he signs, as it stands now [R32, D23]."""
    return SettlementList(
        notice_number=order.notice_number,
        round=order.round,
        revision=order.revision,
        description=order.description,
        items=fee_items(order),
        fee_fen=order.fee_fen,
        price_version=order.price_version,
    )


def settlement_list_by_id(session: Session, actor: Actor, work_order_id: UUID) -> SettlementListView:
    """The settlement list of an order, with its hash. Raises NotFound when it is none of the person's."""
    shown = settlement_list(_order(session, actor, work_order_id))
    return SettlementListView(**dict(shown), hash=shown.sha256())


def work_orders(
    session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int
) -> Page[WorkOrderView]:
    """Work orders in order of receipt, of one state or all."""
    query = select(WorkOrder).where(orders_of(actor)).options(*WHOLE)
    if state is not None:
        query = query.where(WorkOrder.state == state)
    return page_of(session, query, WorkOrder.id, lambda row: work_order_view(row, actor), after=after, limit=limit)


def consultation_view(c: Consultation) -> ConsultationView:
    """One question as shown."""
    return ConsultationView(
        c.id,
        c.request_id,
        c.site_id,
        c.department,
        c.question,
        c.reply_due_at,
        c.received_at,
        c.answer,
        c.answered_by,
        c.answered_at,
    )


def consultations(
    session: Session, actor: Actor, *, unanswered: bool | None, after: UUID | None, limit: int
) -> Page[ConsultationView]:
    """Questions to the departments: those without answer, those with, or all; a head's own department's."""
    query = select(Consultation).where(at_sites_of(actor, Consultation.site_id))
    if actor.role == "head":
        query = query.where(Consultation.department == actor.department)
    if unanswered is not None:
        query = query.where(Consultation.answer.is_(None) if unanswered else Consultation.answer.is_not(None))
    return page_of(session, query, Consultation.id, consultation_view, after=after, limit=limit)


HOME_SITE = func.coalesce(
    Person.site_ids[1], select(Site.id).order_by(Site.code).limit(1).correlate(None).scalar_subquery()
)
"""The site on whose wall clock a person's day is read: the first of his, or of all."""


def person_at_home(session: Session, person_id: UUID) -> tuple[Person, str]:
    """A person and the time zone of his home site. Raises NotFound while no site of his is known."""
    row = session.execute(
        select(Person, Site.zone).join(Site, Site.id == HOME_SITE).where(Person.id == person_id)
    ).one_or_none()
    if row is None:
        raise NotFound("site of", person_id)
    return row[0], row[1]


# a duty holds from `since` to before `until` for whoever is of its department, site and shift, or is its person
_HIS_DUTIES = """
    d.department = his.department AND (his.all_sites OR d.site_id = ANY(his.site_ids))
    AND (d.person_id IS NULL OR d.person_id = his.person_id) AND (d.shift IS NULL OR d.shift = his.shift)
    AND d.since <= his.day AND (d.until IS NULL OR his.day < d.until)
"""

_HIS = """
    SELECT p.id AS person_id, CAST(:first AS date) + n AS day, p.department, p.site_ids, p.all_sites,
           CASE WHEN p.shift_end <= p.shift_start THEN 'night' WHEN p.shift_start < p.shift_end THEN 'day' END AS shift
    FROM people p CROSS JOIN generate_series(0, :further) AS n
    WHERE p.id = ANY(:ids)
"""

_DUTIES = text(f"""
    WITH his AS ({_HIS})
    SELECT his.person_id, his.day, count(d.id) AS prescribed, count(t.ticked_at) AS ticked,
           bool_or(s.done_at IS NOT NULL) AS stated, c.good, greatest(max(t.ticked_at), max(s.done_at)) AS at
    FROM his
    LEFT JOIN prescribed_duties d ON {_HIS_DUTIES}
    LEFT JOIN duty_ticks t ON t.duty_id = d.id AND t.person_id = his.person_id AND t.day = his.day
    LEFT JOIN duty_days s ON s.person_id = his.person_id AND s.day = his.day
    LEFT JOIN LATERAL (
        SELECT good FROM duty_checks WHERE person_id = his.person_id AND day = his.day ORDER BY id DESC LIMIT 1
    ) c ON true
    GROUP BY his.person_id, his.day, c.good
""")  # noqa: S608  # our own conditions

_MINE = text(f"""
    WITH his AS ({_HIS})
    SELECT d.id AS duty_id, d.site_id, d.name, t.ticked_at
    FROM his JOIN prescribed_duties d ON {_HIS_DUTIES}
    LEFT JOIN duty_ticks t ON t.duty_id = d.id AND t.person_id = his.person_id AND t.day = his.day
    ORDER BY d.id
""")  # noqa: S608  # our own conditions


def duties_between(
    session: Session, person_ids: Sequence[UUID], *, first: date, last: date
) -> dict[UUID, dict[date, DutiesOfDay]]:
    """Each person's duties of the days from `first` to `last`."""
    session.flush()
    asked = {"ids": list(person_ids), "first": first, "further": (last - first).days}
    found: dict[UUID, dict[date, DutiesOfDay]] = {}
    for person_id, day, *duties in session.execute(_DUTIES, asked):
        found.setdefault(person_id, {})[day] = DutiesOfDay(*duties)
    return found


def duties_near(session: Session, person_ids: Sequence[UUID], day: date) -> dict[UUID, dict[date, DutiesOfDay]]:
    """Each person's duties of the days around `day`; no zone or shift is further away than two days."""
    return duties_between(session, person_ids, first=day - timedelta(days=2), last=day + timedelta(days=2))


def duties(session: Session, actor: Actor, *, day: date | None, now: datetime) -> list[DutyView]:
    """The person's workers, by name, with their duties of a day; without one, of today at his home site."""
    shown = day or local(now, person_at_home(session, actor.person_id)[1]).date()
    people = session.execute(
        select(Person.id, Person.name).where(workers_of(actor)).order_by(Person.name, Person.id)
    ).all()
    of_day = duties_between(session, [row.id for row in people], first=shown, last=shown)
    return [_duty_view(row.id, row.name, shown, of_day[row.id][shown]) for row in people]


def _duty_view(person_id: UUID, name: str, day: date, of_day: DutiesOfDay) -> DutyView:
    return DutyView(
        person_id,
        name,
        day,
        of_day.done,
        of_day.at if of_day.done else None,
        of_day.prescribed,
        of_day.ticked,
        of_day.good,
    )


def duty_by_day(session: Session, person: Person, day: date) -> DutyView:
    """One worker's duties of a day."""
    of_day = duties_between(session, [person.id], first=day, last=day)[person.id][day]
    return _duty_view(person.id, person.name, day, of_day)


def duty_today(session: Session, actor: Actor, *, now: datetime) -> tuple[Person, date]:
    """The worker and the day whose duties he does now: at his home site, and by his shift."""
    person, zone = person_at_home(session, actor.person_id)
    return person, Shift(person.shift_start, person.shift_end).day(local(now, zone))


def duties_mine(session: Session, actor: Actor, *, now: datetime) -> MyDutiesView:
    """What is prescribed for the worker asking today, and what of it is done."""
    person, day = duty_today(session, actor, now=now)
    of_day = duties_between(session, [person.id], first=day, last=day)[person.id][day]
    rows = session.execute(_MINE, {"ids": [person.id], "first": day, "further": 0}).mappings()
    return MyDutiesView(day, of_day.done, of_day.good, [MyDutyView(**row) for row in rows])


def prescribed_duty_view(duty: PrescribedDuty) -> PrescribedDutyView:
    """One prescribed duty as shown."""
    return PrescribedDutyView(
        duty.id, duty.site_id, duty.department, duty.name, duty.person_id, duty.shift, duty.since, duty.until
    )


def prescribed_duties(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PrescribedDutyView]:
    """What is prescribed now at the person's sites; to a head, in his department."""
    query = select(PrescribedDuty).where(at_sites_of(actor, PrescribedDuty.site_id), PrescribedDuty.until.is_(None))
    if actor.role == "head":
        query = query.where(PrescribedDuty.department == actor.department)
    return page_of(session, query, PrescribedDuty.id, prescribed_duty_view, after=after, limit=limit)


def neglect_view(found: Neglect) -> NeglectView:
    """One finding as shown."""
    return NeglectView(
        found.id,
        found.worker_id,
        found.day,
        found.site_id,
        found.department,
        found.head_id,
        found.override_id,
        found.reason,
        found.found_by,
        found.found_at,
    )


def certificates_of(person: Person) -> tuple[Certificate, ...]:
    """What a person holds, as hr says."""
    return tuple(Certificate.model_validate(one) for one in person.certificates)


def colleague(person: Person) -> Colleague:
    """What the rule of who may be sent needs to know of a person."""
    return Colleague(
        name=person.name,
        role=person.role,
        department=person.department,
        active=person.active,
        site_ids=None if person.all_sites else frozenset(person.site_ids),
        skills=None if person.skills is None else frozenset(person.skills),
        certificates=certificates_of(person),
    )


def job_of(order: WorkOrder, zone: str) -> Job:
    """What the rule of who may be sent needs to know of an order."""
    return Job(order.department, order.site_id, order.trade, local(order.visit_from, zone).date())


def paid_visits(
    session: Session, month: str, *, person_ids: Sequence[UUID] | None = None
) -> dict[UUID, tuple[int, int]]:
    """(visits, minutes from arrival to the work's end) of each person in a month, rework too [R68]."""
    session.flush()
    at_homes = func.sum(func.extract("epoch", WorkOrder.finished_at - WorkOrder.arrived_at))
    query = (
        select(Assignment.person_id, func.count(), at_homes)
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(WorkOrder.finished_month == month)
        .group_by(Assignment.person_id)
    )
    if person_ids is not None:
        query = query.where(Assignment.person_id.in_(person_ids))
    return {person_id: (visits, int(seconds) // 60) for person_id, visits, seconds in session.execute(query)}


def hours(session: Session, actor: Actor, *, month: str, now: datetime) -> list[HoursView]:
    """The person's workers, by name, with what they did in a month; held against the limit of their home site."""
    rows = session.execute(
        select(Person.id, Person.name, Site.id.label("site_id"))
        .join(Site, Site.id == HOME_SITE)
        .where(workers_of(actor))
        .order_by(Person.name, Person.id)
    ).all()
    visited = paid_visits(session, month, person_ids=[row.id for row in rows])
    policies = in_force_at(session, HoursPolicy, site_ids=[*{row.site_id for row in rows}], at=now)
    shown = []
    for row in rows:
        visits, minutes = visited.get(row.id, (0, 0))
        policy = policies[row.site_id]
        shown.append(
            HoursView(row.id, row.name, month, visits, minutes, is_near(minutes, policy), is_over(minutes, policy))
        )
    return shown


def candidates(session: Session, actor: Actor, work_order_id: UUID, *, now: datetime) -> list[CandidateView]:
    """The department's workers at the order's site, the best to send first: who may, is free and has done least."""
    order = _order(session, actor, work_order_id)
    site = session.get_one(Site, order.site_id)
    job, visit_here = job_of(order, site.zone), local(order.visit_from, site.zone)
    people = session.scalars(
        select(Person).where(
            Person.role == "worker",
            Person.active,
            Person.department == order.department,
            or_(Person.all_sites, any_(Person.site_ids) == order.site_id),
        )
    ).all()
    ids = [person.id for person in people]
    here = local(now, site.zone)
    of_days = duties_near(session, ids, here.date())
    load = _open_jobs(session, ids, order, day=job.day, zone=site.zone)
    visited = paid_visits(session, business_month(now, zone=site.zone, closing=site.closing), person_ids=ids)
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


def _open_jobs(
    session: Session, person_ids: Sequence[UUID], but: WorkOrder, *, day: date, zone: str
) -> dict[UUID, int]:
    rows = session.execute(
        select(Assignment.person_id, func.count())
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(
            OPEN,
            WorkOrder.id != but.id,
            Assignment.person_id.in_(person_ids),
            WorkOrder.visit_from >= moment(day, time(0), zone),
            WorkOrder.visit_from < moment(day + timedelta(days=1), time(0), zone),
        )
        .group_by(Assignment.person_id)
    )
    return {person_id: howmany for person_id, howmany in rows}  # noqa: C416  # a row is no pair to mypy


def workers(session: Session, actor: Actor, *, now: datetime) -> list[ColleagueView]:
    """The person's workers, by name: who is free to be sent."""
    open_orders = (
        select(Assignment.person_id, func.count().label("howmany"))
        .join(WorkOrder, WorkOrder.id == Assignment.work_order_id)
        .where(OPEN)
        .group_by(Assignment.person_id)
        .subquery()
    )
    rows: Sequence[Any] = session.execute(
        select(Person, Site.zone, func.coalesce(open_orders.c.howmany, 0).label("howmany"))
        .join(Site, Site.id == HOME_SITE)
        .outerjoin(open_orders, open_orders.c.person_id == Person.id)
        .where(workers_of(actor))
        .order_by(Person.name, Person.id)
    ).all()
    of_days = duties_near(session, [row.Person.id for row in rows], now.date())
    return [
        ColleagueView(
            person.id,
            person.name,
            person.department,
            of_days[person.id][Shift(person.shift_start, person.shift_end).day(local(now, zone))].done,
            howmany,
        )
        for person, zone, howmany in rows
    ]
