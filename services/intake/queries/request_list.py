"""Requests as a list is looked through: the last first, by where they stand, by day, by what is known of them [R20]."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, false, func, literal, or_, select
from sqlalchemy.orm import Session

from services.intake.models import Notice, Request, Site
from services.intake.queries.homes import phone_hash
from shared.access import at_sites_of
from shared.paging import Page
from shared.people import Actor
from shared.phone import phone_digits


@dataclass(frozen=True)
class RequestRow:
    """A request in a list; `phone` is not shown here (fee in fen)."""

    id: UUID
    number: str
    site_id: UUID
    state: str
    channel: str
    trade: str
    department: str | None
    address: str
    owner_name: str
    description: str
    recorded_at: datetime
    callback_missed: bool
    visit_from: datetime | None
    fee_fen: int | None
    notice_number: str | None
    receipt_number: str | None


SHORTEST_NUMBER = 7
"""Digits from which on what is looked for may be a phone number."""


@dataclass(frozen=True)
class Looked:
    """What a list of requests is narrowed to; nothing: all."""

    site_id: UUID | None = None
    state: str | None = None
    trade: str | None = None
    day: date | None = None
    words: str = ""


def find_requests(
    session: Session, actor: Actor, *, looked: Looked, after: UUID | None, limit: int
) -> Page[RequestRow]:
    """Requests, the last registered first; words are found in numbers, rooms, names, and a whole phone number.

    A day is the one on the wall of the request's site.
    """
    query = (
        select(
            Request.id,
            Request.number,
            Request.site_id,
            Request.state,
            Request.channel,
            Request.trade,
            Request.department,
            Request.address,
            Request.owner_name,
            Request.description,
            Request.recorded_at,
            Request.callback_missed,
            Request.visit_from,
            Request.fee_fen,
            Notice.number.label("notice_number"),
            Request.receipt_number,
        )
        .join(Site, Site.id == Request.site_id)
        .outerjoin(Notice, Notice.request_id == Request.id)
        .where(at_sites_of(actor, Request.site_id), *_wanted(looked))
    )
    if after is not None:
        query = query.where(Request.id < after)
    found = session.execute(query.order_by(Request.id.desc()).limit(limit + 1)).mappings()
    rows = [RequestRow(**row) for row in found]
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def _wanted(looked: Looked) -> Iterator[ColumnElement[bool]]:
    if looked.site_id is not None:
        yield Request.site_id == looked.site_id
    if looked.state is not None:
        yield Request.state == looked.state
    if looked.trade is not None:
        yield Request.trade == looked.trade
    if looked.day is not None:
        yield Request.recorded_at >= _midnight(looked.day)
        yield Request.recorded_at < _midnight(looked.day + timedelta(days=1))
    if looked.words:
        room = "".join(looked.words.split()).lower()
        by_number = len(phone_digits(looked.words)) >= SHORTEST_NUMBER
        yield or_(
            Request.number.icontains(looked.words, autoescape=True),
            Notice.number.icontains(looked.words, autoescape=True),
            Request.receipt_number.icontains(looked.words, autoescape=True),
            Request.owner_name.icontains(looked.words, autoescape=True),
            Request.address_key.startswith(room, autoescape=True),
            Request.phone_hash == phone_hash(looked.words) if by_number else false(),
        )


def _midnight(day: date) -> ColumnElement[datetime]:
    """When the day begins at the request's site."""
    return func.timezone(Site.zone, literal(datetime.combine(day, time()), DateTime()))
