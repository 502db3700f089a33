"""Reads of the departments: frozen views for the API, each limited to the sites and orders of the person asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session, selectinload

from services.dispatch.models import OPEN, Assignment, Consultation, DutyDay, Person, Site, WorkOrder
from services.dispatch.rules.duty import Shift
from services.dispatch.rules.privacy import phone_shown
from services.dispatch.rules.work_order import ENDED
from shared.access import at_sites_of
from shared.calendar import local
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class WorkerView:
    """A worker of a job and his weight."""

    person_id: UUID
    name: str
    weight: int


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
    price_code: str | None
    price_version: int | None
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
    finished_at: datetime | None
    accepted_at: datetime | None
    accepted_month: str | None
    signer_name: str | None
    relation: str | None
    signed_hash: str | None
    terminated_at: datetime | None
    cause: str | None
    cancelled_at: datetime | None
    reason: str | None
    stopped_reason: str | None
    overrides: int


@dataclass(frozen=True)
class DutyView:
    """A worker's duties of a day: done, and since when."""

    person_id: UUID
    name: str
    day: date
    done: bool
    done_at: datetime | None


@dataclass(frozen=True)
class DutyDoneView:
    """The moment a worker's duties of a day were done."""

    person_id: UUID
    day: date
    done_at: datetime


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
    """The active workers a person sees: those at his sites; a head those of his department."""
    sites = (
        true()
        if actor.site_ids is None
        else or_(Person.all_sites, Person.site_ids.bool_op("&&")(sorted(actor.site_ids)))
    )
    department = Person.department == actor.department if actor.role == "head" else true()
    return and_(Person.role == "worker", Person.active, sites, department)


def work_order_view(order: WorkOrder, actor: Actor) -> WorkOrderView:
    """What `actor` is shown of an order loaded with WHOLE; the phone number only who needs it [D26]."""
    signed = order.signature
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
        price_code=order.price_code,
        price_version=order.price_version,
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
        finished_at=order.finished_at,
        accepted_at=order.accepted_at,
        accepted_month=order.accepted_month,
        signer_name=signed.signer_name if signed else None,
        relation=signed.relation if signed else None,
        signed_hash=signed.signed_hash if signed else None,
        terminated_at=order.terminated_at,
        cause=order.cause,
        cancelled_at=order.cancelled_at,
        reason=order.reason,
        stopped_reason=order.stops[-1].reason if order.stops else None,
        overrides=len(order.overrides),
    )


def work_order_by_id(session: Session, actor: Actor, work_order_id: UUID) -> WorkOrderView:
    """One work order. Raises NotFound when it is none of the person's."""
    session.flush()
    order = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.id == work_order_id, orders_of(actor))
        .options(*WHOLE)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise NotFound("work order", work_order_id)
    return work_order_view(order, actor)


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


def done_days(session: Session, person_ids: Sequence[UUID], *, near: date) -> dict[UUID, frozenset[date]]:
    """The days around `near` whose duties each person has done; no zone or shift is further away than two days."""
    found: dict[UUID, set[date]] = {}
    rows = session.execute(
        select(DutyDay.person_id, DutyDay.day).where(
            DutyDay.person_id.in_(person_ids),
            DutyDay.day.between(near - timedelta(days=2), near + timedelta(days=2)),
        )
    )
    for person_id, day in rows:
        found.setdefault(person_id, set()).add(day)
    return {person_id: frozenset(days) for person_id, days in found.items()}


def duties(session: Session, actor: Actor, *, day: date | None, now: datetime) -> list[DutyView]:
    """The person's workers, by name, with their duties of a day; without one, of today at his home site."""
    shown = day or local(now, person_at_home(session, actor.person_id)[1]).date()
    rows = session.execute(
        select(Person.id, Person.name, DutyDay.done_at)
        .outerjoin(DutyDay, and_(DutyDay.person_id == Person.id, DutyDay.day == shown))
        .where(workers_of(actor))
        .order_by(Person.name, Person.id)
    )
    return [DutyView(row.id, row.name, shown, row.done_at is not None, row.done_at) for row in rows]


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
    done = done_days(session, [row.Person.id for row in rows], near=now.date())
    return [
        ColleagueView(
            person.id,
            person.name,
            person.department,
            Shift(person.shift_start, person.shift_end).day(local(now, zone)) in done.get(person.id, frozenset()),
            howmany,
        )
        for person, zone, howmany in rows
    ]
