"""Reads of hr: frozen views for the API, each limited to the sites of the person asking."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, get_args
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
    Payment,
    Payout,
    PayoutLine,
    Person,
    Post,
    Site,
    SiteChange,
    SiteHoliday,
    SiteLeader,
    Wage,
    WebhookAttempt,
    WebhookEndpoint,
)
from services.hr.rules.case import CaseState
from services.hr.rules.post import HEADS
from services.hr.rules.task import MOVES
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.messages import Certificate, Department, JobShare, ReportLine
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class SiteView:
    """A site 小区; its times are by the clock on its wall, `opens` and `closes_service` its service hours."""

    id: UUID
    code: str
    name: str
    zone: str
    closing: time
    opens: time | None
    closes_service: time | None
    holidays: list[date]


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
    skills: list[str] | None
    certificates: list[Certificate]


@dataclass(frozen=True)
class EvidenceView:
    """What somebody added to a case."""

    text: str
    added_by: UUID
    added_at: datetime


@dataclass(frozen=True)
class CaseView:
    """A discipline case (fen): `opened_by` None was opened by missing cash, `source_id` is what it was told by.

    From `rung` to `month` is what follows from it, known when it is final.
    """

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
    added: list[EvidenceView]
    statement: str | None
    attended: bool | None
    heard_by: UUID | None
    heard_at: datetime | None
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str | None
    appeal_due_at: datetime | None
    accepted_at: datetime | None
    appealed_at: datetime | None
    appeal: str | None
    appeal_decided_by: UUID | None
    appeal_decided_at: datetime | None
    appeal_reason: str | None
    final_at: datetime | None
    rung: int | None
    fine_fen: int | None
    points: int | None
    step: str | None
    month: str | None
    source_id: UUID | None
    override_id: UUID | None


@dataclass(frozen=True)
class PointsView:
    """Appraisal points a fine became, where the site takes no money [D19]."""

    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    month: str
    points: int


@dataclass(frozen=True)
class TaskView:
    """A step HR carries out, by `due_at`; `move` is where the person gets another post, if that is the step."""

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
    move: str | None


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
    lines: list[ReportLine]


@dataclass(frozen=True)
class FailureView:
    """An attempt to pay that failed."""

    attempt: int
    cause: str
    reason: str
    told_by: UUID | None
    failed_at: datetime


@dataclass(frozen=True)
class PayoutLineView:
    """What one person is paid (fen), how it came about, and whether he was paid."""

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    net_fen: int
    case_numbers: list[str]
    carried_fen: int
    guard: str
    jobs: list[JobShare]
    state: str
    reference: str | None
    paid_at: datetime | None
    failures: list[FailureView]


@dataclass(frozen=True)
class FineView:
    """A fine behind a statement (fen), by the number of its case."""

    case_number: str
    offence: str
    fine_fen: int


@dataclass(frozen=True)
class StatementView:
    """What the person asking gets for a month at one site, so that he can check every fen of it [R92-R94]."""

    settlement_id: UUID
    site_id: UUID
    site_name: str
    month: str
    line: PayoutLineView
    fines: list[FineView]


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
    return SiteView(s.id, s.code, s.name, s.zone, s.closing, s.opens, s.closes_service, s.holidays)


def sites(session: Session, actor: Actor) -> list[SiteView]:
    """The person's sites, by code."""
    return [site_view(site) for site in _sites_of(session, actor)]


def person_view(p: Person) -> PersonView:
    """A person as shown: never his token, nor its hash."""
    return PersonView(
        id=p.id,
        name=p.name,
        role=p.role,
        department=p.department,
        site_ids=p.site_ids,
        all_sites=p.all_sites,
        active=p.active,
        shift_start=p.shift_start,
        shift_end=p.shift_end,
        skills=p.skills,
        certificates=[Certificate.model_validate(one) for one in p.certificates or []],
    )


def people(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PersonView]:
    """Everybody who works, or worked, at a site of the person asking."""
    query = select(Person)
    if actor.site_ids is not None:
        query = query.where(or_(Person.all_sites, Person.site_ids.bool_op("&&")(list(actor.site_ids))))
    return page_of(session, query, Person.id, person_view, after=after, limit=limit)


def case_view(c: Case) -> CaseView:
    """A case loaded with its person and what was added, as shown."""
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
        added=[EvidenceView(one.text, one.added_by, one.added_at) for one in c.added],
        statement=c.statement,
        attended=c.attended,
        heard_by=c.heard_by,
        heard_at=c.heard_at,
        decided_by=c.decided_by,
        decided_at=c.decided_at,
        reason=c.reason,
        appeal_due_at=c.appeal_due_at,
        accepted_at=c.accepted_at,
        appealed_at=c.appealed_at,
        appeal=c.appeal,
        appeal_decided_by=c.appeal_decided_by,
        appeal_decided_at=c.appeal_decided_at,
        appeal_reason=c.appeal_reason,
        final_at=c.final_at,
        rung=c.rung,
        fine_fen=c.fine_fen,
        points=c.points,
        step=c.step,
        month=c.month,
        source_id=c.source_id,
        override_id=c.override_id,
    )


def _whole_cases(actor: Actor) -> Select[Case]:
    """Cases of his sites, and those about himself wherever they are."""
    mine = or_(at_sites_of(actor, Case.site_id), Case.person_id == actor.person_id)
    return select(Case).where(mine).options(joinedload(Case.person), selectinload(Case.added))


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


def own_cases(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[CaseView]:
    """The cases against the person asking."""
    query = _whole_cases(actor).where(Case.person_id == actor.person_id)
    return page_of(session, query, Case.id, case_view, after=after, limit=limit)


def points(session: Session, actor: Actor, *, person_id: UUID | None, month: str | None) -> list[PointsView]:
    """Points of a person, a month, or all, in the order the cases were opened [D19]."""
    query = (
        select(Case)
        .where(at_sites_of(actor, Case.site_id), Case.points.is_not(None))
        .options(joinedload(Case.person))
        .order_by(Case.id)
    )
    if person_id is not None:
        query = query.where(Case.person_id == person_id)
    if month is not None:
        query = query.where(Case.month == month)
    return [
        PointsView(c.id, c.number, c.site_id, c.person_id, c.person.name, c.month or "", c.points or 0)
        for c in session.scalars(query)
    ]


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
        move=f"/people/{t.person_id}/move" if t.kind in MOVES else None,
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
        return ReportView(
            r.id,
            r.site_id,
            r.month,
            r.report,
            r.reported_at,
            [ReportLine.model_validate(line) for line in r.lines],
        )

    return page_of(
        session,
        select(MonthReport).where(at_sites_of(actor, MonthReport.site_id)),
        MonthReport.id,
        view,
        after=after,
        limit=limit,
    )


WITH_PAYMENT = selectinload(PayoutLine.payment).selectinload(Payment.failures)
"""How a line is loaded to be shown."""


def payouts(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PayoutView]:
    """Payouts with every line."""
    whole = selectinload(Payout.lines).options(WITH_PAYMENT)
    query = select(Payout).where(at_sites_of(actor, Payout.site_id)).options(whole)
    return page_of(session, query, Payout.settlement_id, _payout_view, after=after, limit=limit)


def payout_line(session: Session, settlement_id: UUID, person_id: UUID) -> PayoutLineView:
    """One line with its payment, for who was let change it."""
    session.flush()
    query = (
        select(PayoutLine)
        .where(PayoutLine.settlement_id == settlement_id, PayoutLine.person_id == person_id)
        .options(WITH_PAYMENT)
        .execution_options(populate_existing=True)
    )
    return _line_view(session.scalars(query).one())


def own_statements(session: Session, actor: Actor, *, month: str | None) -> list[StatementView]:
    """What the person asking gets, at each site where he has a line, with the fines behind it [R92-R94]."""
    query = (
        select(PayoutLine, Payout, Site.name)
        .join(Payout, Payout.settlement_id == PayoutLine.settlement_id)
        .join(Site, Site.id == Payout.site_id)
        .where(PayoutLine.person_id == actor.person_id)
        .options(WITH_PAYMENT)
        .order_by(Payout.month, Site.code)
    )
    if month is not None:
        query = query.where(Payout.month == month)
    rows = session.execute(query).all()
    numbers = {number for line, *_ in rows for number in line.case_numbers}
    fines = {
        case.number: FineView(case.number, case.offence, case.fine_fen or 0)
        for case in session.scalars(select(Case).where(Case.number.in_(numbers), Case.person_id == actor.person_id))
    }
    return [
        StatementView(
            payout.settlement_id,
            payout.site_id,
            site_name,
            payout.month,
            _line_view(line),
            [fines[number] for number in line.case_numbers if number in fines],
        )
        for line, payout, site_name in rows
    ]


def _line_view(line: PayoutLine) -> PayoutLineView:
    payment = line.payment
    return PayoutLineView(
        person_id=line.person_id,
        name=line.name,
        share_fen=line.share_fen,
        reward_fen=line.reward_fen,
        fine_fen=line.fine_fen,
        from_bonus_fen=line.from_bonus_fen,
        from_wage_fen=line.from_wage_fen,
        net_fen=line.net_fen,
        case_numbers=line.case_numbers,
        carried_fen=line.carried_fen,
        guard=line.guard,
        jobs=[JobShare.model_validate(job) for job in line.jobs],
        state=payment.state,
        reference=payment.reference,
        paid_at=payment.paid_at,
        failures=[FailureView(f.attempt, f.cause, f.reason, f.told_by, f.failed_at) for f in payment.failures],
    )


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
        lines=[_line_view(line) for line in p.lines],
    )


# --- the organisation -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PostView:
    """A post a person has or had; `given_by` None was there before posts were kept."""

    role: str
    department: str
    site_ids: list[UUID]
    all_sites: bool
    shift_start: time | None
    shift_end: time | None
    since: datetime
    until: datetime | None
    given_by: UUID | None
    reason: str


@dataclass(frozen=True)
class WageView:
    """A monthly wage (fen) from a moment on."""

    person_id: UUID
    version: int
    monthly_wage_fen: int
    changed_by: UUID
    changed_at: datetime


@dataclass(frozen=True)
class SiteChangeView:
    """A change of a site: field -> [before, after]."""

    version: int
    changes: dict[str, Any]
    changed_by: UUID
    changed_at: datetime
    reason: str


@dataclass(frozen=True)
class HolidayView:
    """A public holiday of a site."""

    day: date
    name: str


@dataclass(frozen=True)
class LeaderView:
    """Who was or is the leader in charge of a department at a site."""

    department: str
    leader_id: UUID
    leader_name: str
    named_by: UUID
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class MemberView:
    """Somebody in a department."""

    person_id: UUID
    name: str
    role: str
    is_head: bool


@dataclass(frozen=True)
class DepartmentView:
    """A department at a site: its people, heads first, and the leader in charge of it, if one is named."""

    department: str
    leader_id: UUID | None
    leader_name: str | None
    people: list[MemberView]


@dataclass(frozen=True)
class SiteBranchView:
    """A site with its departments."""

    site_id: UUID
    code: str
    name: str
    departments: list[DepartmentView]


def site_by_id(session: Session, site_id: UUID) -> SiteView:
    """One site, for who was let change it."""
    return site_view(session.get_one(Site, site_id))


def _only_his(actor: Actor, site_id: UUID) -> None:
    if not actor.sees(site_id):
        raise NotFound("site", site_id)


def site_changes(session: Session, actor: Actor, site_id: UUID) -> list[SiteChangeView]:
    """What was changed of a site, oldest first. Raises NotFound for a site of others."""
    _only_his(actor, site_id)
    query = select(SiteChange).where(SiteChange.site_id == site_id).order_by(SiteChange.version)
    return [SiteChangeView(c.version, c.changes, c.changed_by, c.changed_at, c.reason) for c in session.scalars(query)]


def holidays(session: Session, actor: Actor, site_id: UUID) -> list[HolidayView]:
    """A site's public holidays by day. Raises NotFound for a site of others."""
    _only_his(actor, site_id)
    query = select(SiteHoliday).where(SiteHoliday.site_id == site_id).order_by(SiteHoliday.day)
    return [HolidayView(one.day, one.name) for one in session.scalars(query)]


def leaders(session: Session, actor: Actor, site_id: UUID) -> list[LeaderView]:
    """The leaders in charge at a site, now and before. Raises NotFound for a site of others."""
    _only_his(actor, site_id)
    session.flush()
    query = (
        select(SiteLeader, Person.name)
        .join(Person, Person.id == SiteLeader.leader_id)
        .where(SiteLeader.site_id == site_id)
        .order_by(SiteLeader.department, SiteLeader.since, SiteLeader.id)
    )
    return [
        LeaderView(one.department, one.leader_id, name, one.named_by, one.since, one.until)
        for one, name in session.execute(query)
    ]


def _person_of(session: Session, actor: Actor, person_id: UUID) -> Person:
    person = session.get(Person, person_id)
    if person is None or not (person.all_sites or actor.site_ids is None or actor.site_ids & set(person.site_ids)):
        raise NotFound("person", person_id)
    return person


def posts(session: Session, actor: Actor, person_id: UUID) -> list[PostView]:
    """The posts of a person, oldest first. Raises NotFound for people of other sites."""
    _person_of(session, actor, person_id)
    query = select(Post).where(Post.person_id == person_id).order_by(Post.since, Post.id)
    return [
        PostView(
            role=p.role,
            department=p.department,
            site_ids=p.site_ids,
            all_sites=p.all_sites,
            shift_start=p.shift_start,
            shift_end=p.shift_end,
            since=p.since,
            until=p.until,
            given_by=p.given_by,
            reason=p.reason,
        )
        for p in session.scalars(query)
    ]


def wage_view(w: Wage) -> WageView:
    """A wage as shown."""
    return WageView(w.person_id, w.version, w.monthly_wage_fen, w.changed_by, w.changed_at)


def wages(session: Session, actor: Actor, person_id: UUID) -> list[WageView]:
    """A person's wages, oldest first. Raises NotFound for people of other sites."""
    _person_of(session, actor, person_id)
    query = select(Wage).where(Wage.person_id == person_id).order_by(Wage.version)
    return [wage_view(wage) for wage in session.scalars(query)]


def organisation(session: Session, actor: Actor) -> list[SiteBranchView]:
    """The company as a tree: each site of the person asking, its departments, their heads, people and leaders."""
    everybody = session.scalars(select(Person).where(Person.active).order_by(Person.name, Person.id)).all()
    by_id = {person.id: person for person in everybody}
    in_charge = {
        (one.site_id, one.department): by_id[one.leader_id]
        for one in session.scalars(select(SiteLeader).where(SiteLeader.until.is_(None)))
        if one.leader_id in by_id and by_id[one.leader_id].role == "leader"
    }
    return [_branch(site, everybody, in_charge) for site in _sites_of(session, actor)]


def _sites_of(session: Session, actor: Actor) -> list[Site]:
    return list(session.scalars(select(Site).where(at_sites_of(actor, Site.id)).order_by(Site.code)))


def _branch(site: Site, everybody: Sequence[Person], in_charge: Mapping[tuple[UUID, str], Person]) -> SiteBranchView:
    here = [person for person in everybody if person.all_sites or site.id in person.site_ids]
    departments = []
    for department in get_args(Department):
        people = [
            MemberView(person.id, person.name, person.role, person.role in HEADS)
            for person in here
            if person.department == department
        ]
        leader = in_charge.get((site.id, department))
        if leader is not None and not (leader.all_sites or site.id in leader.site_ids):
            leader = None  # he was moved to other sites
        if people or leader is not None:
            departments.append(
                DepartmentView(
                    department,
                    leader.id if leader is not None else None,
                    leader.name if leader is not None else None,
                    sorted(people, key=lambda one: not one.is_head),
                )
            )
    return SiteBranchView(site.id, site.code, site.name, departments)


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
