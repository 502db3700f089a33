"""Reads of hr: frozen views for the API, each limited to the sites of the person asking."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from services.hr.models import Case, HrTask, MissedCallback, MonthReport, Override, Payout, Person, Site
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
