"""Reads of the front desk: frozen views for the API, each limited to the sites of the person asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select, text, tuple_
from sqlalchemy.orm import Session, selectinload

from services.intake.models import (
    Answer,
    CashAlert,
    Consultation,
    LineEntry,
    Month,
    MonthSignature,
    Notice,
    NoticeCopy,
    Person,
    PriceItem,
    PrivateJobReport,
    Request,
    Revisit,
    Site,
    Visit,
)
from services.intake.rules.notice import MATERIALS, NoticeState, copy_state
from services.intake.rules.privacy import phone_shown
from services.intake.rules.report import Whose, report_lines, site_totals
from services.intake.rules.request import ENDED, RequestState
from services.intake.rules.revisit import Survey
from services.intake.rules.scope import TradePolicy
from services.intake.rules.statistics import SIGNABLE, Item, Line, Said, compare
from shared.access import at_sites_of
from shared.calendar import local
from shared.errors import NotFound
from shared.messages import FeeItem, ReportLine
from shared.paging import Page, page_of
from shared.people import Actor, site_for
from shared.policy_rows import in_force


@dataclass(frozen=True)
class CopyView:
    """One copy of a notice: its holder, the revision sent to him, and whether he has it; `received_by` is a name."""

    copy: str
    state: str
    revision: int
    sent_at: datetime
    received_at: datetime | None
    received_by: str | None
    returned_at: datetime | None
    reprints: int


@dataclass(frozen=True)
class RevisionView:
    """A notice as issued (0) or revised: what was agreed (fee in fen), what stood there before, and why."""

    revision: int
    visit_from: datetime
    visit_to: datetime
    fee_fen: int
    items: list[FeeItem]
    changed: dict[str, Any]
    reason: str
    made_by: UUID
    made_at: datetime


@dataclass(frozen=True)
class NoticeView:
    """A service notice, its three copies and its revisions."""

    number: str
    state: str
    revision: int
    issued_at: datetime
    issued_by: UUID
    cancelled_at: datetime | None
    cancel_reason: str | None
    materials: str
    copies: dict[str, CopyView]
    revisions: list[RevisionView]


@dataclass(frozen=True)
class DeclineView:
    """The department declined the notice's last revision: the desk revises or withdraws it [D27]."""

    revision: int
    department: str
    reason: str
    by: UUID
    at: datetime


@dataclass(frozen=True)
class DamageView:
    """Damage done on a visit (estimate in fen)."""

    id: UUID
    round: int
    description: str
    estimate_fen: int | None
    reported_by: UUID
    reported_at: datetime


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
class AttemptView:
    """A call that did not reach the owner."""

    at: datetime
    by: UUID
    note: str


@dataclass(frozen=True)
class RevisitView:
    """A call to the owner after a visit; `told` is the department that was told of a problem [R38]."""

    round: int
    due_at: datetime
    listed_at: datetime | None
    failed_attempts: int
    attempts: list[AttemptView]
    unreachable_at: datetime | None
    done_at: datetime | None
    satisfied: bool | None
    note: str | None
    survey: Survey | None
    told: str | None


@dataclass(frozen=True)
class RefundView:
    """Money of the fee given back (fen)."""

    refund_id: UUID
    amount_fen: int
    reason: str
    month: str
    refunded_at: datetime


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
    items: list[FeeItem]
    price_version: int | None
    owner_waits: bool
    receipt_number: str | None
    received_fen: int | None
    received_month: str | None
    refunded_fen: int
    refunds: list[RefundView]
    ended_at: datetime | None
    ending: str | None
    notice: NoticeView | None
    declined: DeclineView | None
    damages: list[DamageView]
    visits: list[VisitView]
    revisits: list[RevisitView]


@dataclass(frozen=True)
class HomeRequest:
    """A request of a home, in short."""

    id: UUID
    number: str
    state: str
    open: bool
    trade: str
    description: str
    recorded_at: datetime


@dataclass(frozen=True)
class HomeView:
    """A home as earlier requests know it: the owners' names, its last ten requests and all open ones."""

    site_id: UUID
    address: str
    owner_names: list[str]
    requests: list[HomeRequest]


@dataclass(frozen=True)
class RegisteredView(RequestView):
    """A request just registered, with open requests of the same home or phone and trade: pointed out, not blocked."""

    possible_duplicates: list[HomeRequest]


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
class TradeView:
    """A trade of a site's catalogue: the department that does it, or why it is refused."""

    code: str
    name: str
    department: str | None
    refusal: str


@dataclass(frozen=True)
class AnswerView:
    """An answer to a question asked often."""

    id: UUID
    site_id: UUID
    trade: str | None
    question: str
    answer: str
    made_by: UUID
    made_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True)
class LookupView:
    """What the desk can tell an owner: prices (fen) and answers that have the words in them [R22]."""

    prices: list[PriceView]
    answers: list[AnswerView]


@dataclass(frozen=True)
class PrivateJobView:
    """What the desk was told of a paid job taken privately [R54]."""

    id: UUID
    site_id: UUID
    person_id: UUID
    happened_at: datetime
    evidence: str
    reported_by: UUID
    reported_at: datetime


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
    """A row of the revisit list with the content of both forms: what was asked for, agreed, done and signed [R37]."""

    request_id: UUID
    site_id: UUID
    round: int
    due_at: datetime
    failed_attempts: int
    attempts: list[AttemptView]
    last_attempt_at: datetime | None
    unreachable_at: datetime | None
    request_number: str
    owner_name: str
    address: str
    phone: str
    trade: str
    description: str
    windows: list[list[str]]
    department: str | None
    notice_number: str | None
    visit_from: datetime | None
    visit_to: datetime | None
    fee_fen: int | None
    items: list[FeeItem]
    receipt_number: str | None
    received_fen: int | None
    visit: VisitView


@dataclass(frozen=True)
class SignatureView:
    """A department's signature under the month's statistics."""

    department: str
    signed_by: UUID
    name: str
    signed_at: datetime


@dataclass(frozen=True)
class LineEntryView:
    """Something said of a line: disputed, a figure proposed, accepted."""

    department: str
    item: str
    step: str
    figure: int | None
    note: str
    by: UUID
    by_department: str
    at: datetime


@dataclass(frozen=True)
class ReportView:
    """A site's report of a month; a draft while `agreed_at` is empty [R42, R43]."""

    site_id: UUID
    site_code: str
    site_name: str
    zone: str
    month: str
    agreed_at: datetime | None
    signatures: list[SignatureView]
    report: dict[str, int]
    lines: list[ReportLine]


@dataclass(frozen=True)
class MonthView:
    """A month's statistics: the lines and what was said of them, who signed, the report once all four have."""

    site_id: UUID
    month: str
    closes_at: datetime
    asked_at: datetime | None
    agreed_at: datetime | None
    lines: list[Line]
    all_agree: bool
    signed: list[str]
    signatures: list[SignatureView]
    entries: list[LineEntryView]
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
    selectinload(Request.notice).selectinload(Notice.copies).selectinload(NoticeCopy.receiver),
    selectinload(Request.notice).selectinload(Notice.copies).selectinload(NoticeCopy.reprints),
    selectinload(Request.notice).selectinload(Notice.revisions),
    selectinload(Request.declines),
    selectinload(Request.damages),
    selectinload(Request.visits),
    selectinload(Request.revisits).selectinload(Revisit.attempts),
    selectinload(Request.attempts),
    selectinload(Request.refunds),
)


def visit_view(visit: Visit) -> VisitView:
    """One visit as shown."""
    return VisitView(
        round=visit.round,
        ordered_at=visit.ordered_at,
        acknowledged_at=visit.acknowledged_at,
        assigned_at=visit.assigned_at,
        workers=[worker["name"] for worker in visit.workers or []],
        support_reason=visit.support_reason,
        arrived_late=visit.arrived_late,
        signer_name=visit.signer_name,
        accepted_at=visit.accepted_at,
        accepted_month=visit.accepted_month,
        terminated_at=visit.terminated_at,
        cause=visit.cause,
        reason=visit.reason,
    )


def attempt_views(revisit: Revisit) -> list[AttemptView]:
    """The calls of a revisit that did not reach the owner, in order."""
    return [AttemptView(attempt.at, attempt.by, attempt.note) for attempt in revisit.attempts]


def survey_of(revisit: Revisit) -> Survey | None:
    """What the owner answered; None when he was not asked."""
    if revisit.quality is None or revisit.attitude is None or revisit.price_as_agreed is None:
        return None
    return Survey(revisit.quality, revisit.attitude, revisit.price_as_agreed)


def request_view(request: Request, actor: Actor) -> RequestView:
    """What `actor` is shown of a request loaded with WHOLE; the phone number only who needs it [D26]."""
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
        items=_items(request.items),
        price_version=request.price_version,
        owner_waits=request.owner_waits,
        receipt_number=request.receipt_number,
        received_fen=request.received_fen,
        received_month=request.received_month,
        refunded_fen=sum(refund.amount_fen for refund in request.refunds),
        refunds=[
            RefundView(refund.refund_id, refund.amount_fen, refund.reason, refund.month, refund.refunded_at)
            for refund in request.refunds
        ],
        ended_at=request.ended_at,
        ending=request.ending,
        notice=_notice_view(request.notice) if request.notice else None,
        declined=_declined(request),
        damages=[
            DamageView(d.id, d.round, d.description, d.estimate_fen, d.reported_by, d.reported_at)
            for d in request.damages
        ],
        visits=[visit_view(visit) for visit in request.visits],
        revisits=[
            RevisitView(
                round=revisit.round,
                due_at=revisit.due_at,
                listed_at=revisit.listed_at,
                failed_attempts=revisit.failed_attempts,
                attempts=attempt_views(revisit),
                unreachable_at=revisit.unreachable_at,
                done_at=revisit.done_at,
                satisfied=revisit.satisfied,
                note=revisit.note,
                survey=survey_of(revisit),
                told=request.department if revisit.satisfied is False else None,
            )
            for revisit in request.revisits
        ],
    )


def _items(items: list[Any]) -> list[FeeItem]:
    return [FeeItem.model_validate(item) for item in items]


def _notice_view(notice: Notice) -> NoticeView:
    return NoticeView(
        number=notice.number,
        state=NoticeState.CANCELLED if notice.cancelled_at else NoticeState.VALID,
        revision=notice.revision,
        issued_at=notice.issued_at,
        issued_by=notice.issued_by,
        cancelled_at=notice.cancelled_at,
        cancel_reason=notice.cancel_reason,
        materials=MATERIALS,
        copies={
            copy.copy: CopyView(
                copy=copy.copy,
                state=copy_state(received_at=copy.received_at, returned_at=copy.returned_at),
                revision=copy.revision,
                sent_at=copy.sent_at,
                received_at=copy.received_at,
                received_by=copy.receiver.name if copy.receiver else None,
                returned_at=copy.returned_at,
                reprints=len(copy.reprints),
            )
            for copy in notice.copies
        },
        revisions=[
            RevisionView(
                r.revision,
                r.visit_from,
                r.visit_to,
                r.fee_fen,
                _items(r.items),
                r.changed,
                r.reason,
                r.made_by,
                r.made_at,
            )
            for r in notice.revisions
        ],
    )


def _declined(request: Request) -> DeclineView | None:
    """What the department says against the notice as it stands; a later revision or a withdrawal answers it."""
    if request.notice is None or request.state is not RequestState.NOTICED:
        return None
    return next(
        (
            DeclineView(d.revision, d.department, d.reason, d.declined_by, d.declined_at)
            for d in request.declines
            if d.revision == request.notice.revision
        ),
        None,
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


_DUPLICATES = text("""
    SELECT r.id, r.number, r.state, r.trade, r.description, r.recorded_at
    FROM requests r JOIN requests new ON new.id = :id AND new.ended_at IS NULL
    WHERE r.site_id = new.site_id AND r.trade = new.trade AND r.id <> new.id AND r.ended_at IS NULL
      AND (r.address_key = new.address_key OR r.phone_digits = new.phone_digits)
    ORDER BY r.id LIMIT 20
""")


def registered(session: Session, actor: Actor, request_id: UUID) -> RegisteredView:
    """A request just registered, with those it may repeat."""
    view = request_by_id(session, actor, request_id)
    rows = session.execute(_DUPLICATES, {"id": request_id}).mappings()
    return RegisteredView(**vars(view), possible_duplicates=[HomeRequest(**row, open=True) for row in rows])


# phone numbers are compared by their digits; a room is the beginning of an address, without spaces, in small letters
_HOMES = text(r"""
    WITH asked AS (
        SELECT NULLIF(regexp_replace(CAST(:phone AS text), '\D', '', 'g'), '') AS digits,
               NULLIF(lower(regexp_replace(CAST(:room AS text), '\s', '', 'g')), '') AS room
    ), home AS (
        SELECT site_id, address_key FROM requests, asked
        WHERE (CAST(:sites AS uuid[]) IS NULL OR site_id = ANY(:sites))
          AND (phone_digits = asked.digits
               OR address_key LIKE regexp_replace(asked.room, '([\\%_])', '\\\1', 'g') || '%')
        GROUP BY site_id, address_key ORDER BY max(recorded_at) DESC LIMIT 20
    )
    SELECT * FROM (
        SELECT r.site_id, r.address_key, r.address, r.owner_name, r.id, r.number, r.state, r.ended_at IS NULL AS open,
               r.trade, r.description, r.recorded_at,
               row_number() OVER (PARTITION BY r.site_id, r.address_key ORDER BY r.id DESC) AS newest
        FROM requests r JOIN home USING (site_id, address_key)
    ) AS all_of_them
    WHERE newest <= 10 OR open ORDER BY site_id, address_key, newest
""")


def homes(session: Session, actor: Actor, *, phone: str, room: str) -> list[HomeView]:
    """Homes known by the phone number (digits compared), else by the room: the beginning of an address."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    for asked in ({"phone": phone, "room": None}, {"phone": None, "room": room}):
        found: dict[tuple[UUID, str], HomeView] = {}
        for row in session.execute(_HOMES, {"sites": sites, **asked}):
            home = found.setdefault((row.site_id, row.address_key), HomeView(row.site_id, row.address, [], []))
            if row.owner_name not in home.owner_names:
                home.owner_names.append(row.owner_name)
            home.requests.append(
                HomeRequest(row.id, row.number, row.state, row.open, row.trade, row.description, row.recorded_at)
            )
        if found:
            return list(found.values())
    return []


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


def trades(session: Session, actor: Actor, *, site_id: UUID, now: datetime) -> list[TradeView]:
    """The catalogue of trades in force at a site [R7-R10, D2]. Raises NotFound for a site of others."""
    site = site_for(session, actor, site_id)
    catalogue = in_force(session, TradePolicy, site_id=site.id, at=now)
    return [TradeView(t.code, t.name, t.department, t.refusal) for t in catalogue.trades]


def answers(session: Session, actor: Actor, *, q: str, after: UUID | None, limit: int) -> Page[AnswerView]:
    """Answers that are given, with these words in question or answer."""
    return page_of(session, _answers(actor, q), Answer.id, answer_view, after=after, limit=limit)


def _answers(actor: Actor, q: str) -> Select[Answer]:
    return select(Answer).where(
        at_sites_of(actor, Answer.site_id),
        Answer.retired_at.is_(None),
        or_(Answer.question.icontains(q, autoescape=True), Answer.answer.icontains(q, autoescape=True)),
    )


def answer_view(a: Answer) -> AnswerView:
    """One answer as shown."""
    return AnswerView(a.id, a.site_id, a.trade, a.question, a.answer, a.made_by, a.made_at, a.retired_at)


def price_lookup(session: Session, actor: Actor, *, q: str, trade: str | None, now: datetime) -> LookupView:
    """Prices and answers with these words, of one trade or all: what the desk tells an owner who asks [R22]."""
    given = _answers(actor, q).order_by(Answer.id).limit(100)
    if trade is not None:
        given = given.where(or_(Answer.trade == trade, Answer.trade.is_(None)))
    return LookupView(
        [
            price
            for price in prices(session, actor, now=now)
            if trade in (None, price.trade) and q.casefold() in f"{price.code} {price.name}".casefold()
        ],
        [answer_view(row) for row in session.scalars(given)],
    )


def private_jobs(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PrivateJobView]:
    """What was told of private jobs."""
    query = select(PrivateJobReport).where(at_sites_of(actor, PrivateJobReport.site_id))
    return page_of(session, query, PrivateJobReport.id, private_job_view, after=after, limit=limit)


def private_job_view(r: PrivateJobReport) -> PrivateJobView:
    """One report as shown."""
    return PrivateJobView(r.id, r.site_id, r.person_id, r.happened_at, r.evidence, r.reported_by, r.reported_at)


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


def revisits_due(
    session: Session, actor: Actor, *, unreachable: bool = False, after: UUID | None = None, limit: int = 100
) -> Page[RevisitDue]:
    """The desk's list: revisits whose time has come and that are not done, the oldest first [R37].

    Owners who count as unreachable are on a list of their own. A page begins after a request, whose last revisit
    keeps its place in the order when it is done meanwhile.
    """
    query = (
        select(Revisit)
        .where(
            Revisit.done_at.is_(None),
            Revisit.unreachable_at.is_not(None)
            if unreachable
            else and_(Revisit.listed_at.is_not(None), Revisit.unreachable_at.is_(None)),
            at_sites_of(actor, Revisit.site_id),
        )
        .order_by(Revisit.due_at, Revisit.request_id)
        .limit(limit + 1)
        .options(
            selectinload(Revisit.attempts),
            selectinload(Revisit.request).options(selectinload(Request.notice), selectinload(Request.visits)),
        )
    )
    if after is not None:
        place = select(Revisit.due_at).where(Revisit.request_id == after).order_by(Revisit.round.desc()).limit(1)
        query = query.where(tuple_(Revisit.due_at, Revisit.request_id) > tuple_(place.scalar_subquery(), after))
    rows = session.scalars(query).all()
    shown = rows[:limit]
    return Page([_revisit_due(row, actor) for row in shown], shown[-1].request_id if len(rows) > limit else None)


def _revisit_due(revisit: Revisit, actor: Actor) -> RevisitDue:
    request = revisit.request
    attempts = attempt_views(revisit)
    return RevisitDue(
        request_id=revisit.request_id,
        site_id=revisit.site_id,
        round=revisit.round,
        due_at=revisit.due_at,
        failed_attempts=revisit.failed_attempts,
        attempts=attempts,
        last_attempt_at=attempts[-1].at if attempts else None,
        unreachable_at=revisit.unreachable_at,
        request_number=request.number,
        owner_name=request.owner_name,
        address=request.address,
        phone=phone_shown(request.phone, role=actor.role, ended=False),
        trade=request.trade,
        description=request.description,
        windows=request.windows,
        department=request.department,
        notice_number=request.notice.number if request.notice else None,
        visit_from=request.visit_from,
        visit_to=request.visit_to,
        fee_fen=request.fee_fen,
        items=_items(request.items),
        receipt_number=request.receipt_number,
        received_fen=request.received_fen,
        visit=visit_view(next(visit for visit in request.visits if visit.round == revisit.round)),
    )


def cash_alerts(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[CashAlertView]:
    """Cash finance waits or waited for."""
    return page_of(
        session,
        select(CashAlert).where(at_sites_of(actor, CashAlert.site_id)),
        CashAlert.id,
        lambda a: CashAlertView(a.id, a.site_id, a.day, a.holder_id, a.amount_fen, a.found_at, a.returned_at),
        after=after,
        limit=limit,
    )


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
    SELECT department, 'received_fen', sum(fen) FROM (
        SELECT department, received_fen AS fen FROM requests WHERE site_id = :site_id AND received_month = :month
        UNION ALL
        SELECT department, -amount_fen FROM fee_refunds WHERE site_id = :site_id AND month = :month
    ) AS moved GROUP BY department
""")

_THEIRS = text("SELECT department, item, value FROM month_figures WHERE site_id = :site_id AND month = :month")


def _figures(session: Session, statement: Any, site_id: UUID, month: str) -> dict[tuple[str, str], int]:
    rows = session.execute(statement, {"site_id": site_id, "month": month})
    return {(row.department, row.item): int(row.value) for row in rows}


def month_lines(session: Session, site_id: UUID, month: str) -> list[Line]:
    """The month's comparison, line by line, each where what was said of it has brought it [R41]."""
    return _lines(session, site_id, month, _entries(session, site_id, month))


def _entries(session: Session, site_id: UUID, month: str) -> Sequence[LineEntry]:
    session.flush()
    query = select(LineEntry).where(LineEntry.site_id == site_id, LineEntry.month == month).order_by(LineEntry.id)
    return session.scalars(query).all()


def _lines(session: Session, site_id: UUID, month: str, entries: Sequence[LineEntry]) -> list[Line]:
    return compare(
        _figures(session, _OURS, site_id, month),
        _figures(session, _THEIRS, site_id, month),
        [Said(entry.department, entry.item, entry.step, entry.figure, entry.note) for entry in entries],
    )


# each request counts for the site, for the desk, and for the clerk who recorded it
_CLERKS = text("""
    SELECT whose.department, whose.person_id, coalesce(max(p.name), '') AS name,
           count(*) AS requests,
           count(*) FILTER (WHERE state = 'refused') AS refused,
           count(*) FILTER (WHERE callback_due_at IS NOT NULL) AS callbacks,
           count(*) FILTER (WHERE callback_due_at IS NOT NULL AND NOT callback_missed
                            AND reached_at IS NOT NULL) AS callbacks_kept,
           count(*) FILTER (WHERE callback_missed) AS callbacks_missed
    FROM requests r
    CROSS JOIN LATERAL (VALUES (NULL, NULL::uuid), ('front_desk', NULL), ('front_desk', r.recorded_by))
        AS whose (department, person_id)
    LEFT JOIN people p ON p.id = whose.person_id
    WHERE r.site_id = :site_id AND r.month = :month GROUP BY whose.department, whose.person_id
""")

_REGISTERED = text("""
    SELECT department,
           CASE WHEN GROUPING(channel) = 0 THEN 'channel.' || channel
                WHEN GROUPING(trade) = 0 THEN 'trade.' || trade
                ELSE 'requests' END AS item,
           count(*) AS value
    FROM requests WHERE site_id = :site_id AND month = :month
    GROUP BY GROUPING SETS ((channel), (trade), (department))
    HAVING GROUPING(department) = 1 OR department IS NOT NULL
""")

# a visit counts for its site, for its department, and for each of its workers
_COUNTED_FOR = """
    CROSS JOIN LATERAL (
        VALUES (NULL, NULL::uuid, ''), (v.department, NULL, '')
        UNION ALL
        SELECT v.department, person_id, name
        FROM jsonb_to_recordset(coalesce(nullif(v.workers, 'null'), '[]')) AS w (person_id uuid, name text)
        WHERE person_id IS NOT NULL
    ) AS whose (department, person_id, name)
"""

_VISITS = text(f"""
    SELECT whose.department, whose.person_id, max(whose.name) AS name,
           count(*) FILTER (WHERE v.round = 0) AS accepted,
           count(*) FILTER (WHERE v.round > 0) AS rework_rounds,
           count(*) FILTER (WHERE NOT v.arrived_late) AS arrived_in_time,
           count(*) FILTER (WHERE v.arrived_late) AS arrived_late
    FROM visits v {_COUNTED_FOR}
    WHERE v.site_id = :site_id AND v.accepted_month = :month GROUP BY whose.department, whose.person_id
""")  # noqa: S608  # our own words

# v is the first visit: it is judged, whoever did the rework, and by what the owner said before any
_REVISITS = text(f"""
    SELECT whose.department, whose.person_id, max(whose.name) AS name,
           count(r.satisfied) FILTER (WHERE r.round = 0) AS first_revisits,
           count(*) FILTER (WHERE r.round = 0 AND r.satisfied) AS satisfied_at_first,
           count(*) FILTER (WHERE r.round = 0 AND r.price_as_agreed) AS price_as_agreed,
           round(100 * avg(r.quality) FILTER (WHERE r.round = 0)) AS quality_x100,
           round(100 * avg(r.attitude) FILTER (WHERE r.round = 0)) AS attitude_x100,
           count(*) FILTER (WHERE NOT r.satisfied) AS reworks_caused,
           round(1000.0 * count(*) FILTER (WHERE r.round = 0 AND NOT r.satisfied)
                 / nullif(count(r.satisfied) FILTER (WHERE r.round = 0), 0)) AS rework_permille,
           count(*) FILTER (WHERE r.satisfied IS NULL) AS unreachable
    FROM revisits r JOIN visits v ON v.request_id = r.request_id AND v.round = 0 {_COUNTED_FOR}
    WHERE r.site_id = :site_id AND r.done_month = :month GROUP BY whose.department, whose.person_id
""")  # noqa: S608  # our own words

# a notice is declined at a moment: its month is that of the business day, which begins at closing time
_DECLINED = text("""
    SELECT whose.department, NULL::uuid AS person_id, '' AS name, count(*) AS declined
    FROM declines d JOIN sites s ON s.id = d.site_id
    CROSS JOIN LATERAL (VALUES (NULL), (d.department)) AS whose (department)
    CROSS JOIN LATERAL (SELECT d.declined_at AT TIME ZONE s.zone AS here) AS local
    WHERE d.site_id = :site_id
      AND to_char(here + CASE WHEN here::time >= s.closing THEN interval '1 day' ELSE '0' END, 'YYYY-MM') = :month
    GROUP BY whose.department
""")


def month_report(session: Session, site_id: UUID, month: str) -> list[ReportLine]:
    """The report to the administration department: agreed lines, callbacks, punctuality, quality [R42, R43].

    A revisit counts in the month in which the owner was asked, everything else in that of the fact.
    """
    keys = {"site_id": site_id, "month": month}
    figures: dict[Whose, dict[str, int | None]] = {}
    names: dict[UUID, str] = {}

    def add(department: str | None, person_id: UUID | None, values: Mapping[str, Any]) -> None:
        counted = {item: None if value is None else int(value) for item, value in values.items()}
        figures.setdefault((department, person_id), {}).update(counted)

    for statement in (_VISITS, _REVISITS, _CLERKS, _DECLINED):
        for row in session.execute(statement, keys).mappings():
            values = {item: value for item, value in row.items() if item not in {"department", "person_id", "name"}}
            add(row["department"], row["person_id"], values)
            if row["person_id"] is not None:
                names[row["person_id"]] = row["name"]
    for one in session.execute(_REGISTERED, keys):
        add(one.department, None, {one.item: one.value})
    lines = month_lines(session, site_id, month)
    for line in lines:
        add(line.department, None, {line.item: line.counts})
    add(None, None, {item: sum(line.counts for line in lines if line.item is item) for item in Item})
    return report_lines(figures, names)


def report(session: Session, actor: Actor, *, site_id: UUID, month: str) -> ReportView:
    """A site's report of a month as it was agreed, or as it stands. Raises NotFound."""
    query = (
        select(Month, Site)
        .join(Site, Site.id == Month.site_id)
        .where(Month.site_id == site_id, Month.month == month, at_sites_of(actor, Month.site_id))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("month", month)
    found, site = row
    lines = (
        month_report(session, site_id, month)
        if found.report_lines is None
        else [ReportLine.model_validate(line) for line in found.report_lines]
    )
    totals = site_totals(lines) if found.report is None else found.report
    signatures = _signatures(session, actor, month).get(site_id, [])
    return ReportView(site_id, site.code, site.name, site.zone, month, found.agreed_at, signatures, totals, lines)


def months(session: Session, actor: Actor, *, month: str) -> list[MonthView]:
    """A month at each of the person's sites."""
    query = (
        select(Month, Site.code)
        .join(Site, Site.id == Month.site_id)
        .where(Month.month == month, at_sites_of(actor, Month.site_id))
        .order_by(Site.code)
    )
    signatures = _signatures(session, actor, month)
    return [month_view(session, found, signatures.get(found.site_id, [])) for found, _ in session.execute(query)]


def _signatures(session: Session, actor: Actor, month: str) -> dict[UUID, list[SignatureView]]:
    """Who signed the month at each of the person's sites."""
    signatures: dict[UUID, list[SignatureView]] = {}
    for row, name in session.execute(
        select(MonthSignature, Person.name)
        .join(Person, Person.id == MonthSignature.signed_by)
        .where(MonthSignature.month == month, at_sites_of(actor, MonthSignature.site_id))
        .order_by(MonthSignature.department)
    ):
        signature = SignatureView(row.department, row.signed_by, name, row.signed_at)
        signatures.setdefault(row.site_id, []).append(signature)
    return signatures


def month_view(session: Session, found: Month, signatures: list[SignatureView]) -> MonthView:
    """One month as shown."""
    entries = _entries(session, found.site_id, found.month)
    lines = _lines(session, found.site_id, found.month, entries)
    return MonthView(
        found.site_id,
        found.month,
        found.closes_at,
        found.asked_at,
        found.agreed_at,
        lines,
        all(line.state in SIGNABLE for line in lines),
        [signature.department for signature in signatures],
        signatures,
        [LineEntryView(e.department, e.item, e.step, e.figure, e.note, e.by, e.by_department, e.at) for e in entries],
        found.report,
    )
