"""Reads of the front desk: frozen views for the API, each limited to the sites of the person asking."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session, selectinload

from services.intake.models import (
    CashAlert,
    Consultation,
    Month,
    MonthSignature,
    Notice,
    PriceItem,
    Request,
    Revisit,
    Site,
)
from services.intake.rules.notice import MATERIALS
from services.intake.rules.privacy import phone_shown
from services.intake.rules.request import ENDED, RequestState
from services.intake.rules.statistics import Line, compare
from shared.access import at_sites_of
from shared.calendar import local
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class NoticeView:
    """A service notice and when each copy was received."""

    number: str
    issued_at: datetime
    issued_by: UUID
    cancelled_at: datetime | None
    materials: str
    copies: dict[str, datetime | None]


@dataclass(frozen=True)
class VisitView:
    """One visit as the department reports it; `round` 0 is the paid one."""

    round: int
    ordered_at: datetime
    acknowledged_at: datetime | None
    assigned_at: datetime | None
    workers: list[str]
    support_reason: str | None
    arrived_late: bool | None
    signer_name: str | None
    accepted_at: datetime | None
    accepted_month: str | None
    terminated_at: datetime | None
    cause: str | None
    reason: str | None


@dataclass(frozen=True)
class RevisitView:
    """A call to the owner after a visit."""

    round: int
    due_at: datetime
    listed_at: datetime | None
    failed_attempts: int
    done_at: datetime | None
    satisfied: bool | None
    note: str | None


@dataclass(frozen=True)
class RequestView:
    """A request, whole: the registration form, its callback, notice, visits, revisits and the fee (fen)."""

    id: UUID
    number: str
    site_id: UUID
    state: str
    channel: str
    trade: str
    department: str | None
    refusal: str | None
    owner_name: str
    address: str
    phone: str
    description: str
    windows: list[list[str]]
    source: str | None
    source_key: str | None
    recorded_at: datetime
    recorded_by: UUID
    month: str
    warned_at: datetime | None
    callback_due_at: datetime | None
    callback_ended_at: datetime | None
    callback_missed: bool
    reached_at: datetime | None
    failed_attempts: int
    visit_from: datetime | None
    visit_to: datetime | None
    fee_fen: int | None
    price_code: str | None
    price_version: int | None
    receipt_number: str | None
    received_fen: int | None
    received_month: str | None
    ended_at: datetime | None
    ending: str | None
    notice: NoticeView | None
    visits: list[VisitView]
    revisits: list[RevisitView]


@dataclass(frozen=True)
class SiteView:
    """A site of the person asking."""

    id: UUID
    code: str
    name: str


@dataclass(frozen=True)
class PriceView:
    """An item of the price book (fen)."""

    version: int
    code: str
    trade: str
    name: str
    unit: str
    min_fen: int
    max_fen: int
    effective_from: date


@dataclass(frozen=True)
class ConsultationView:
    """A question to a department and what became of it."""

    id: UUID
    request_id: UUID
    site_id: UUID
    department: str
    question: str
    reply_due_at: datetime
    answer: str | None
    replied_at: datetime | None
    reply_missed: bool


@dataclass(frozen=True)
class RevisitDue:
    """A row of the revisit list."""

    request_id: UUID
    site_id: UUID
    round: int
    due_at: datetime
    failed_attempts: int


@dataclass(frozen=True)
class MonthView:
    """A month's statistics: the lines, who signed, and the report once all four have."""

    site_id: UUID
    month: str
    closes_at: datetime
    asked_at: datetime | None
    agreed_at: datetime | None
    lines: list[Line]
    all_agree: bool
    signed: list[str]
    report: dict[str, int] | None


@dataclass(frozen=True)
class CashAlertView:
    """Cash finance waits for (fen)."""

    id: UUID
    site_id: UUID
    day: date
    holder_id: UUID
    amount_fen: int
    found_at: datetime
    returned_at: datetime | None


WHOLE = (
    selectinload(Request.notice).selectinload(Notice.copies),
    selectinload(Request.visits),
    selectinload(Request.revisits),
    selectinload(Request.attempts),
)


def request_view(request: Request, actor: Actor) -> RequestView:
    """What `actor` is shown of a request loaded with WHOLE; the phone number only who needs it [D26]."""
    notice = request.notice
    return RequestView(
        id=request.id,
        number=request.number,
        site_id=request.site_id,
        state=request.state,
        channel=request.channel,
        trade=request.trade,
        department=request.department,
        refusal=request.refusal,
        owner_name=request.owner_name,
        address=request.address,
        phone=phone_shown(request.phone, role=actor.role, ended=request.state in ENDED),
        description=request.description,
        windows=request.windows,
        source=request.source,
        source_key=request.source_key,
        recorded_at=request.recorded_at,
        recorded_by=request.recorded_by,
        month=request.month,
        warned_at=request.warned_at,
        callback_due_at=request.callback_due_at,
        callback_ended_at=request.callback_ended_at,
        callback_missed=request.callback_missed,
        reached_at=request.reached_at,
        failed_attempts=sum(not attempt.reached for attempt in request.attempts),
        visit_from=request.visit_from,
        visit_to=request.visit_to,
        fee_fen=request.fee_fen,
        price_code=request.price_code,
        price_version=request.price_version,
        receipt_number=request.receipt_number,
        received_fen=request.received_fen,
        received_month=request.received_month,
        ended_at=request.ended_at,
        ending=request.ending,
        notice=NoticeView(
            notice.number,
            notice.issued_at,
            notice.issued_by,
            notice.cancelled_at,
            MATERIALS,
            {copy.copy: copy.received_at for copy in notice.copies},
        )
        if notice
        else None,
        visits=[
            VisitView(
                round=visit.round,
                ordered_at=visit.ordered_at,
                acknowledged_at=visit.acknowledged_at,
                assigned_at=visit.assigned_at,
                workers=visit.workers or [],
                support_reason=visit.support_reason,
                arrived_late=visit.arrived_late,
                signer_name=visit.signer_name,
                accepted_at=visit.accepted_at,
                accepted_month=visit.accepted_month,
                terminated_at=visit.terminated_at,
                cause=visit.cause,
                reason=visit.reason,
            )
            for visit in request.visits
        ],
        revisits=[
            RevisitView(
                round=revisit.round,
                due_at=revisit.due_at,
                listed_at=revisit.listed_at,
                failed_attempts=revisit.failed_attempts,
                done_at=revisit.done_at,
                satisfied=revisit.satisfied,
                note=revisit.note,
            )
            for revisit in request.revisits
        ],
    )


def request_by_id(session: Session, actor: Actor, request_id: UUID) -> RequestView:
    """One request. Raises NotFound when it is none of the person's sites."""
    session.flush()
    request = session.scalars(
        select(Request)
        .where(Request.id == request_id, at_sites_of(actor, Request.site_id))
        .options(*WHOLE)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if request is None:
        raise NotFound("request", request_id)
    return request_view(request, actor)


def requests(session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> Page[RequestView]:
    """Requests in order of registration, of one state or all."""
    query = select(Request).where(at_sites_of(actor, Request.site_id)).options(*WHOLE)
    if state is not None:
        query = query.where(Request.state == state)
    return page_of(session, query, Request.id, lambda row: request_view(row, actor), after=after, limit=limit)


def callbacks(session: Session, actor: Actor) -> list[RequestView]:
    """Who waits for a call, the least time left first; missed ones stay until the owner is reached.

    A department's head sees those of his department [R47].
    """
    query = (
        select(Request)
        .where(Request.state == RequestState.RECORDED, at_sites_of(actor, Request.site_id))
        .order_by(Request.callback_due_at)
        .limit(500)
        .options(*WHOLE)
    )
    if actor.role == "head":
        query = query.where(Request.department == actor.department)
    return [request_view(row, actor) for row in session.scalars(query)]


def sites(session: Session, actor: Actor) -> list[SiteView]:
    """The person's sites, by code."""
    query = select(Site.id, Site.code, Site.name).where(at_sites_of(actor, Site.id)).order_by(Site.code)
    return [SiteView(*row) for row in session.execute(query)]


def prices(session: Session, actor: Actor, *, now: datetime) -> list[PriceView]:
    """The price book in force today, by the clock of the first of the person's sites."""
    first = select(Site.zone).where(at_sites_of(actor, Site.id)).order_by(Site.code).limit(1)
    on = local(now, session.scalars(first).one_or_none() or "UTC").date()
    newest = (
        select(PriceItem.version)
        .where(PriceItem.effective_from <= on)
        .order_by(PriceItem.effective_from.desc(), PriceItem.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    return [
        PriceView(i.version, i.code, i.trade, i.name, i.unit, i.min_fen, i.max_fen, i.effective_from)
        for i in session.scalars(select(PriceItem).where(PriceItem.version == newest).order_by(PriceItem.code))
    ]


def consultations(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[ConsultationView]:
    """Questions put to departments."""
    return page_of(
        session,
        select(Consultation).where(at_sites_of(actor, Consultation.site_id)),
        Consultation.id,
        consultation_view,
        after=after,
        limit=limit,
    )


def consultation_view(c: Consultation) -> ConsultationView:
    """One question as shown."""
    return ConsultationView(
        c.id,
        c.request_id,
        c.site_id,
        c.department,
        c.question,
        c.reply_due_at,
        c.answer,
        c.replied_at,
        c.reply_missed,
    )


def revisits_due(session: Session, actor: Actor) -> list[RevisitDue]:
    """The desk's list: revisits whose time has come and that are not done, the oldest first [R37]."""
    query = (
        select(Revisit)
        .where(Revisit.listed_at.is_not(None), Revisit.done_at.is_(None), at_sites_of(actor, Revisit.site_id))
        .order_by(Revisit.due_at, Revisit.request_id)
        .limit(500)
    )
    return [RevisitDue(r.request_id, r.site_id, r.round, r.due_at, r.failed_attempts) for r in session.scalars(query)]


def cash_alerts(session: Session, actor: Actor) -> list[CashAlertView]:
    """Cash finance waits or waited for."""
    query = select(CashAlert).where(at_sites_of(actor, CashAlert.site_id)).order_by(CashAlert.id)
    return [
        CashAlertView(a.id, a.site_id, a.day, a.holder_id, a.amount_fen, a.found_at, a.returned_at)
        for a in session.scalars(query)
    ]


_OURS = text("""
    SELECT department, 'accepted' AS item, count(*) AS value FROM visits
    WHERE site_id = :site_id AND round = 0 AND accepted_month = :month GROUP BY department
    UNION ALL
    SELECT department, 'terminated', count(*) FROM visits
    WHERE site_id = :site_id AND round = 0 AND terminated_month = :month GROUP BY department
    UNION ALL
    SELECT department, 'receipts', count(*) FROM requests
    WHERE site_id = :site_id AND received_month = :month GROUP BY department
    UNION ALL
    SELECT department, 'received_fen', coalesce(sum(received_fen), 0) FROM requests
    WHERE site_id = :site_id AND received_month = :month GROUP BY department
""")

_THEIRS = text("SELECT department, item, value FROM month_figures WHERE site_id = :site_id AND month = :month")


def _figures(session: Session, statement: Any, site_id: UUID, month: str) -> dict[tuple[str, str], int]:
    rows = session.execute(statement, {"site_id": site_id, "month": month})
    return {(row.department, row.item): int(row.value) for row in rows}


def month_lines(session: Session, site_id: UUID, month: str) -> list[Line]:
    """The month's comparison, line by line [R41]."""
    return compare(_figures(session, _OURS, site_id, month), _figures(session, _THEIRS, site_id, month))


_REPORT = text("""
    SELECT count(*) AS requests,
           count(*) FILTER (WHERE state = 'refused') AS refused,
           count(*) FILTER (WHERE callback_due_at IS NOT NULL) AS callbacks,
           count(*) FILTER (WHERE callback_due_at IS NOT NULL AND NOT callback_missed
                            AND reached_at IS NOT NULL) AS callbacks_kept,
           count(*) FILTER (WHERE callback_missed) AS callbacks_missed
    FROM requests WHERE site_id = :site_id AND month = :month
""")

_VISITS = text("""
    SELECT count(*) FILTER (WHERE round > 0) AS rework_rounds,
           count(*) FILTER (WHERE arrived_late) AS arrived_late
    FROM visits WHERE site_id = :site_id AND accepted_month = :month
""")


def month_report(session: Session, site_id: UUID, month: str) -> dict[str, int]:
    """The report to the administration department: agreed lines, callbacks, punctuality, rework [R42, R43]."""
    keys = {"site_id": site_id, "month": month}
    report = {**session.execute(_REPORT, keys).mappings().one(), **session.execute(_VISITS, keys).mappings().one()}
    report |= {f"{line.department}.{line.item}": line.ours for line in month_lines(session, site_id, month)}
    return {str(name): int(value) for name, value in report.items()}


def months(session: Session, actor: Actor, *, month: str) -> list[MonthView]:
    """A month at each of the person's sites."""
    query = (
        select(Month, Site.code)
        .join(Site, Site.id == Month.site_id)
        .where(Month.month == month, at_sites_of(actor, Month.site_id))
        .order_by(Site.code)
    )
    signed: dict[UUID, list[str]] = {}
    for row in session.scalars(
        select(MonthSignature).where(MonthSignature.month == month, at_sites_of(actor, MonthSignature.site_id))
    ):
        signed.setdefault(row.site_id, []).append(row.department)
    return [month_view(session, found, sorted(signed.get(found.site_id, []))) for found, _ in session.execute(query)]


def month_view(session: Session, found: Month, signed: list[str]) -> MonthView:
    """One month as shown."""
    lines = month_lines(session, found.site_id, found.month)
    return MonthView(
        found.site_id,
        found.month,
        found.closes_at,
        found.asked_at,
        found.agreed_at,
        lines,
        all(line.agrees for line in lines),
        signed,
        found.report,
    )
