"""Reads of hr: frozen views for the API, each limited to the sites of the person asking."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, or_, select, text
from sqlalchemy.orm import Session, joinedload, selectinload

from services.hr.models import (
    Case,
    Delivery,
    HrTask,
    MissedCallback,
    MonthReport,
    Override,
    Payout,
    Person,
    Site,
    WebhookAttempt,
    WebhookEndpoint,
)
from services.hr.rules.case import CaseState
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class SiteView:
    """A site 小区; `closing` is by the clock on its wall."""

    id: UUID
    code: str
    name: str
    zone: str
    closing: time


@dataclass(frozen=True)
class PersonView:
    """A person and his post; shifts are by the clock on the wall of his site."""

    id: UUID
    name: str
    role: str
    department: str
    site_ids: list[UUID]
    all_sites: bool
    active: bool
    shift_start: time | None
    shift_end: time | None


@dataclass(frozen=True)
class CaseView:
    """A discipline case (fen): `opened_by` None was opened by missing cash, `source_id` is what it cites."""

    id: UUID
    number: str
    offence: str
    site_id: UUID
    person_id: UUID
    person_name: str
    state: str
    opened_by: UUID | None
    opened_at: datetime
    happened_at: datetime
    in_working_hours: bool
    evidence: str
    amount_fen: int | None
    cash_returned_at: datetime | None
    rung: int | None
    fine_fen: int | None
    step: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str | None
    month: str | None
    source_id: UUID | None


@dataclass(frozen=True)
class TaskView:
    """A step HR carries out, by `due_at`."""

    id: UUID
    kind: str
    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    due_at: datetime
    late_at: datetime | None
    done_at: datetime | None
    done_by: UUID | None
    evidence: str | None


@dataclass(frozen=True)
class OverrideView:
    """A head sent a worker whose duties were not done [D8]."""

    id: UUID
    request_id: UUID
    site_id: UUID
    department: str
    worker_id: UUID
    head_id: UUID
    reason: str
    overridden_at: datetime


@dataclass(frozen=True)
class MissedCallbackView:
    """An owner who was not called back by `due_at` [R48]."""

    request_id: UUID
    request_number: str
    site_id: UUID
    clerk_id: UUID
    due_at: datetime


@dataclass(frozen=True)
class ReportView:
    """A site's statistics of a month [R42, R43]."""

    id: UUID
    site_id: UUID
    month: str
    report: dict[str, int]
    reported_at: datetime


@dataclass(frozen=True)
class PayoutLineView:
    """What one person is paid (fen)."""

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    net_fen: int
    case_numbers: list[str]


@dataclass(frozen=True)
class PayoutView:
    """A site's payout of a month (fen)."""

    settlement_id: UUID
    site_id: UUID
    month: str
    net_fen: int
    from_wage_fen: int
    approved_by: UUID
    approved_at: datetime
    received_at: datetime
    lines: list[PayoutLineView]


def site_view(s: Site) -> SiteView:
    """A site as shown."""
    return SiteView(s.id, s.code, s.name, s.zone, s.closing)


def sites(session: Session, actor: Actor) -> list[SiteView]:
    """The person's sites, by code."""
    query = select(Site).where(at_sites_of(actor, Site.id)).order_by(Site.code)
    return [site_view(site) for site in session.scalars(query)]


def person_view(p: Person) -> PersonView:
    """A person as shown: never his token, nor its hash."""
    return PersonView(p.id, p.name, p.role, p.department, p.site_ids, p.all_sites, p.active, p.shift_start, p.shift_end)


def people(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PersonView]:
    """Everybody who works, or worked, at a site of the person asking."""
    query = select(Person)
    if actor.site_ids is not None:
        query = query.where(or_(Person.all_sites, Person.site_ids.bool_op("&&")(list(actor.site_ids))))
    return page_of(session, query, Person.id, person_view, after=after, limit=limit)


def case_view(c: Case) -> CaseView:
    """A case loaded with its person, as shown."""
    return CaseView(
        id=c.id,
        number=c.number,
        offence=c.offence,
        site_id=c.site_id,
        person_id=c.person_id,
        person_name=c.person.name,
        state=c.state,
        opened_by=c.opened_by,
        opened_at=c.opened_at,
        happened_at=c.happened_at,
        in_working_hours=c.in_working_hours,
        evidence=c.evidence,
        amount_fen=c.amount_fen,
        cash_returned_at=c.cash_returned_at,
        rung=c.rung,
        fine_fen=c.fine_fen,
        step=c.step,
        decided_by=c.decided_by,
        decided_at=c.decided_at,
        reason=c.reason,
        month=c.month,
        source_id=c.source_id,
    )


def _whole_cases(actor: Actor) -> Select[Case]:
    return select(Case).where(at_sites_of(actor, Case.site_id)).options(joinedload(Case.person))


def case_by_id(session: Session, actor: Actor, case_id: UUID) -> CaseView:
    """One case. Raises NotFound when it is none of the person's sites."""
    session.flush()
    query = _whole_cases(actor).where(Case.id == case_id).execution_options(populate_existing=True)
    case = session.scalars(query).one_or_none()
    if case is None:
        raise NotFound("case", case_id)
    return case_view(case)


def cases(session: Session, actor: Actor, *, state: CaseState | None, after: UUID | None, limit: int) -> Page[CaseView]:
    """Cases in the order they were opened, of one state or all."""
    query = _whole_cases(actor)
    if state is not None:
        query = query.where(Case.state == state)
    return page_of(session, query, Case.id, case_view, after=after, limit=limit)


def task_view(t: HrTask) -> TaskView:
    """A task loaded with its case and person, as shown."""
    return TaskView(
        id=t.id,
        kind=t.kind,
        case_id=t.case_id,
        case_number=t.case.number,
        site_id=t.site_id,
        person_id=t.person_id,
        person_name=t.person.name,
        due_at=t.due_at,
        late_at=t.late_at,
        done_at=t.done_at,
        done_by=t.done_by,
        evidence=t.evidence,
    )


def _whole_tasks(actor: Actor) -> Select[HrTask]:
    return (
        select(HrTask)
        .where(at_sites_of(actor, HrTask.site_id))
        .options(joinedload(HrTask.case), joinedload(HrTask.person))
    )


def task_by_id(session: Session, actor: Actor, task_id: UUID) -> TaskView:
    """One task. Raises NotFound when it is none of the person's sites."""
    session.flush()
    query = _whole_tasks(actor).where(HrTask.id == task_id).execution_options(populate_existing=True)
    task = session.scalars(query).one_or_none()
    if task is None:
        raise NotFound("task", task_id)
    return task_view(task)


def tasks(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[TaskView]:
    """HR's tasks, done or not, in the order of the decisions they follow."""
    return page_of(session, _whole_tasks(actor), HrTask.id, task_view, after=after, limit=limit)


def overrides(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[OverrideView]:
    """Overrides of duty first, as heard."""

    def view(o: Override) -> OverrideView:
        return OverrideView(
            o.id, o.request_id, o.site_id, o.department, o.worker_id, o.head_id, o.reason, o.overridden_at
        )

    return page_of(
        session,
        select(Override).where(at_sites_of(actor, Override.site_id)),
        Override.id,
        view,
        after=after,
        limit=limit,
    )


def missed_callbacks(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[MissedCallbackView]:
    """Missed callbacks, as heard."""

    def view(m: MissedCallback) -> MissedCallbackView:
        return MissedCallbackView(m.request_id, m.request_number, m.site_id, m.clerk_id, m.due_at)

    return page_of(
        session,
        select(MissedCallback).where(at_sites_of(actor, MissedCallback.site_id)),
        MissedCallback.request_id,
        view,
        after=after,
        limit=limit,
    )


def reports(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[ReportView]:
    """Month reports, as received by the administration department."""

    def view(r: MonthReport) -> ReportView:
        return ReportView(r.id, r.site_id, r.month, r.report, r.reported_at)

    return page_of(
        session,
        select(MonthReport).where(at_sites_of(actor, MonthReport.site_id)),
        MonthReport.id,
        view,
        after=after,
        limit=limit,
    )


def payouts(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PayoutView]:
    """Payouts with every line."""
    query = select(Payout).where(at_sites_of(actor, Payout.site_id)).options(selectinload(Payout.lines))
    return page_of(session, query, Payout.settlement_id, _payout_view, after=after, limit=limit)


def _payout_view(p: Payout) -> PayoutView:
    return PayoutView(
        settlement_id=p.settlement_id,
        site_id=p.site_id,
        month=p.month,
        net_fen=p.net_fen,
        from_wage_fen=p.from_wage_fen,
        approved_by=p.approved_by,
        approved_at=p.approved_at,
        received_at=p.received_at,
        lines=[
            PayoutLineView(
                line.person_id,
                line.name,
                line.share_fen,
                line.reward_fen,
                line.fine_fen,
                line.from_bonus_fen,
                line.from_wage_fen,
                line.net_fen,
                line.case_numbers,
            )
            for line in p.lines
        ],
    )


@dataclass(frozen=True)
class DeliveryTotals:
    """What some deliveries come to (fen): how many, their lines, what is paid and what wages bear."""

    deliveries: int
    lines: int
    net_fen: int
    from_wage_fen: int


def _totals(rows: Iterable[Any]) -> DeliveryTotals:
    """The totals of deliveries, or of payouts counted with their lines."""
    counted = [(row.line_count, row.net_fen, row.from_wage_fen) for row in rows]
    lines, net_fen, from_wage_fen = (sum(column) for column in zip(*counted, strict=True)) if counted else (0, 0, 0)
    return DeliveryTotals(len(counted), lines, net_fen, from_wage_fen)


@dataclass(frozen=True)
class DeliveryView:
    """A delivery: its payload in the schema it names, and when the HR system acknowledged it."""

    id: UUID
    sequence: int
    site_id: UUID
    made_at: datetime
    payload: dict[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    reference: str | None


@dataclass(frozen=True)
class DeliveryPage:
    """Some deliveries in order, what they come to, and after which the next page begins (None: this is the last)."""

    items: list[DeliveryView]
    totals: DeliveryTotals
    next: int | None


def deliveries(session: Session, actor: Actor, *, after: int, limit: int) -> DeliveryPage:
    """The deliveries after a sequence number."""
    found = session.scalars(_deliveries(actor).where(Delivery.sequence > after).limit(limit + 1)).all()
    shown = found[:limit]
    return DeliveryPage(
        [_delivery_view(d) for d in shown], _totals(shown), shown[-1].sequence if len(found) > limit else None
    )


def delivery_by_id(session: Session, actor: Actor, delivery_id: UUID) -> DeliveryView:
    """One delivery. Raises NotFound."""
    found = session.scalars(_deliveries(actor).where(Delivery.id == delivery_id)).one_or_none()
    if found is None:
        raise NotFound("delivery", delivery_id)
    return _delivery_view(found)


def _deliveries(actor: Actor) -> Select[Delivery]:
    return (
        select(Delivery)
        .where(at_sites_of(actor, Delivery.site_id))
        .options(joinedload(Delivery.acknowledgement))
        .order_by(Delivery.sequence)
    )


def _delivery_view(d: Delivery) -> DeliveryView:
    taken = d.acknowledgement
    return DeliveryView(
        d.id,
        d.sequence,
        d.site_id,
        d.made_at,
        json.loads(d.body),
        taken.acknowledged_at if taken else None,
        taken.acknowledged_by if taken else None,
        taken.reference if taken else None,
    )


@dataclass(frozen=True)
class ReconciledPayout:
    """A payout and its delivery (fen), with the moments at which they were received, made and acknowledged."""

    settlement_id: UUID
    sequence: int | None
    site_code: str
    month: str
    line_count: int
    net_fen: int
    from_wage_fen: int
    received_at: datetime
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    reference: str | None


@dataclass(frozen=True)
class ReconciliationView:
    """A day by the clocks of the sites: what was received, delivered and acknowledged on it, and the totals of each.

    `unacknowledged` is what the HR system has not acknowledged up to now, of all days.
    """

    day: date
    items: list[ReconciledPayout]
    received: DeliveryTotals
    delivered: DeliveryTotals
    acknowledged: DeliveryTotals
    unacknowledged: DeliveryTotals


# what was received is counted from the payouts and their lines, not from the deliveries it is compared with
_RECONCILED = text("""
    SELECT p.settlement_id, d.sequence, s.code AS site_code, p.month, l.line_count, p.net_fen, p.from_wage_fen,
           p.received_at, d.made_at AS delivered_at, a.acknowledged_at, a.reference,
           d.line_count AS delivered_lines, d.net_fen AS delivered_fen, d.from_wage_fen AS delivered_from_wage_fen,
           (p.received_at AT TIME ZONE s.zone)::date AS received_on,
           (d.made_at AT TIME ZONE s.zone)::date AS delivered_on,
           (a.acknowledged_at AT TIME ZONE s.zone)::date AS acknowledged_on
    FROM payouts p
    JOIN sites s ON s.id = p.site_id
    CROSS JOIN LATERAL (SELECT count(*) AS line_count FROM payout_lines WHERE settlement_id = p.settlement_id) l
    LEFT JOIN deliveries d ON d.id = p.settlement_id
    LEFT JOIN delivery_acknowledgements a ON a.delivery_id = p.settlement_id
    WHERE (CAST(:sites AS uuid[]) IS NULL OR p.site_id = ANY(:sites))
      AND (a.acknowledged_at IS NULL
           OR :day IN ((p.received_at AT TIME ZONE s.zone)::date, (d.made_at AT TIME ZONE s.zone)::date,
                       (a.acknowledged_at AT TIME ZONE s.zone)::date))
    ORDER BY d.sequence NULLS FIRST, p.settlement_id
""")


def reconciliation(session: Session, actor: Actor, *, day: date) -> ReconciliationView:
    """What HR's own system and hr compare day by day."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    rows = session.execute(_RECONCILED, {"sites": sites, "day": day}).all()
    of_day = [row for row in rows if day in (row.received_on, row.delivered_on, row.acknowledged_on)]
    return ReconciliationView(
        day,
        [ReconciledPayout(*row[:11]) for row in of_day],
        received=_totals(row for row in rows if row.received_on == day),
        delivered=_delivered(row for row in rows if row.delivered_on == day),
        acknowledged=_delivered(row for row in rows if row.acknowledged_on == day),
        unacknowledged=_totals(row for row in rows if row.acknowledged_at is None),
    )


def _delivered(rows: Iterable[Row[*tuple[Any, ...]]]) -> DeliveryTotals:
    """The totals of what was delivered, by the deliveries themselves."""
    counted = list(rows)
    return DeliveryTotals(
        len(counted),
        sum(row.delivered_lines for row in counted),
        sum(row.delivered_fen for row in counted),
        sum(row.delivered_from_wage_fen for row in counted),
    )


@dataclass(frozen=True)
class WebhookView:
    """An endpoint deliveries are pushed to, without its secret; `old_secret_until` is when its old one ends."""

    id: UUID
    url: str
    site_id: UUID | None
    state: str
    created_by: UUID
    created_at: datetime
    old_secret_until: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None


def webhook_view(e: WebhookEndpoint) -> WebhookView:
    """An endpoint as shown."""
    return WebhookView(
        e.id,
        e.url,
        e.site_id,
        e.state,
        e.created_by,
        e.created_at,
        e.old_until,
        e.disabled_at,
        e.disabled_reason,
    )


def _webhooks(actor: Actor) -> Select[WebhookEndpoint]:
    """Those of the person's sites; those of the whole company for whoever sees all of it."""
    query = select(WebhookEndpoint)
    return query if actor.site_ids is None else query.where(WebhookEndpoint.site_id.in_(actor.site_ids))


def webhooks(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[WebhookView]:
    """The endpoints."""
    return page_of(session, _webhooks(actor), WebhookEndpoint.id, webhook_view, after=after, limit=limit)


def webhook_by_id(session: Session, actor: Actor, endpoint_id: UUID) -> WebhookView:
    """One endpoint. Raises NotFound."""
    found = session.scalars(_webhooks(actor).where(WebhookEndpoint.id == endpoint_id)).one_or_none()
    if found is None:
        raise NotFound("webhook", endpoint_id)
    return webhook_view(found)


@dataclass(frozen=True)
class AttemptView:
    """One attempt to push a delivery: the status it was answered with, or the error when there was no answer."""

    id: UUID
    delivery_id: UUID
    sequence: int
    status: int | None
    error: str | None
    attempted_at: datetime


def webhook_attempts(
    session: Session, actor: Actor, *, endpoint_id: UUID, after: UUID | None, limit: int
) -> Page[AttemptView]:
    """Every attempt to push something to an endpoint."""
    webhook_by_id(session, actor, endpoint_id)

    def view(a: WebhookAttempt) -> AttemptView:
        return AttemptView(a.id, a.delivery_id, a.delivery.sequence, a.status, a.error, a.attempted_at)

    query = select(WebhookAttempt).where(WebhookAttempt.endpoint_id == endpoint_id)
    return page_of(
        session,
        query.options(joinedload(WebhookAttempt.delivery)),
        WebhookAttempt.id,
        view,
        after=after,
        limit=limit,
    )
