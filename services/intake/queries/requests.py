"""Requests, whole: the registration form and everything that came of it [R13-R39]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session, selectinload

from services.intake.models import Notice, NoticeCopy, Request, Revisit
from services.intake.queries.homes import HomeRequest, phone_hashes
from services.intake.queries.notices import DeclineView, NoticeView, decline_view, notice_view
from services.intake.queries.owner import OwnerActView, owner_act_view
from services.intake.queries.revisits import RevisitView, revisit_view
from services.intake.queries.visits import VisitView, visit_view
from services.intake.rules.price import stored_items
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.messages import FeeItem
from shared.paging import Page, page_of
from shared.people import Actor
from shared.privacy import mask_phone


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
    offered: list[list[str]]
    offered_by: UUID | None
    offered_at: datetime | None
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
    owner_acts: list[OwnerActView]


@dataclass(frozen=True)
class RegisteredView(RequestView):
    """A request just registered, with open requests of the same home or phone and trade: pointed out, not blocked."""

    possible_duplicates: list[HomeRequest]


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
    selectinload(Request.owner_acts),
)


def request_view(request: Request) -> RequestView:
    """A request loaded with WHOLE, as shown; the phone number masked until somebody says why he needs it [D26]."""
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
        phone=mask_phone(request.phone),
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
        items=stored_items(request.items),
        price_version=request.price_version,
        owner_waits=request.owner_waits,
        offered=request.offered,
        offered_by=request.offered_by,
        offered_at=request.offered_at,
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
        notice=notice_view(request.notice) if request.notice else None,
        declined=decline_view(request),
        damages=[
            DamageView(d.id, d.round, d.description, d.estimate_fen, d.reported_by, d.reported_at)
            for d in request.damages
        ],
        visits=[visit_view(visit) for visit in request.visits],
        revisits=[revisit_view(revisit, department=request.department) for revisit in request.revisits],
        owner_acts=[owner_act_view(done) for done in request.owner_acts],
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
    return request_view(request)


# each half has an index of its own; asked with OR, every request of the site would be read
_DUPLICATES = text("""
    WITH new AS (
        SELECT id, site_id, trade, address_key FROM requests WHERE id = :id AND ended_at IS NULL
    ), same AS (
        SELECT r.id FROM requests r JOIN new USING (site_id, address_key)
        UNION SELECT r.id FROM requests r JOIN new USING (site_id) WHERE r.phone_hash = ANY(:phone_hashes)
    )
    SELECT r.id, r.number, r.state, r.trade, r.description, r.recorded_at
    FROM requests r JOIN same USING (id) JOIN new USING (trade)
    WHERE r.id <> new.id AND r.ended_at IS NULL
    ORDER BY r.id LIMIT 20
""")


def registered(session: Session, actor: Actor, request_id: UUID) -> RegisteredView:
    """A request just registered, with those it may repeat."""
    view = request_by_id(session, actor, request_id)
    phone = session.get_one(Request, request_id).phone
    rows = session.execute(_DUPLICATES, {"id": request_id, "phone_hashes": phone_hashes(phone)}).mappings()
    return RegisteredView(**vars(view), possible_duplicates=[HomeRequest(**row, open=True) for row in rows])


def requests(session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> Page[RequestView]:
    """Requests in order of registration, of one state or all."""
    query = select(Request).where(at_sites_of(actor, Request.site_id)).options(*WHOLE)
    if state is not None:
        query = query.where(Request.state == state)
    return page_of(session, query, Request.id, request_view, after=after, limit=limit)
