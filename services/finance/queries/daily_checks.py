"""Business days and their cash checks [R36, R85, D6]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from services.finance.models import Site, SiteDay
from shared.access import at_sites_of
from shared.calendar import business_day, first_day, last_day, month_of
from shared.people import Actor


@dataclass(frozen=True)
class CashFindingView:
    """Cash one person still held when the day was checked."""

    holder_id: UUID
    amount_fen: int
    receipts: int


@dataclass(frozen=True)
class CarriedFindingView:
    """A receipt that was out when the day was checked; without an outcome it is still to be accounted for."""

    receipt_id: UUID
    number: str
    carried_by: UUID
    outcome: str | None
    reason: str | None
    settled_by: UUID | None
    settled_at: datetime | None


@dataclass(frozen=True)
class CashCheckView:
    """A business day's check; `held_fen` was still out at closing time, as were the receipts `carried`."""

    site_id: UUID
    day: date
    closes_at: datetime
    checked_at: datetime | None
    chased_at: datetime | None
    closed_at: datetime | None
    held_fen: int
    findings: list[CashFindingView]
    carried: list[CarriedFindingView]


def cash_checks(session: Session, actor: Actor, *, month: str) -> list[CashCheckView]:
    """A month's business days at the person's sites [R36, R85]."""
    query = (
        select(SiteDay)
        .where(SiteDay.day.between(first_day(month), last_day(month)), at_sites_of(actor, SiteDay.site_id))
        .order_by(SiteDay.site_id, SiteDay.day)
        .options(selectinload(SiteDay.findings), selectinload(SiteDay.carried))
    )
    return [
        CashCheckView(
            site_id=day.site_id,
            day=day.day,
            closes_at=day.closes_at,
            checked_at=day.checked_at,
            chased_at=day.chased_at,
            closed_at=day.closed_at,
            held_fen=day.held_fen,
            findings=[CashFindingView(f.holder_id, f.amount_fen, f.receipts) for f in day.findings],
            carried=[
                CarriedFindingView(
                    f.receipt_id, f.number, f.carried_by, f.outcome, f.reason, f.settled_by, f.settled_at
                )
                for f in day.carried
            ],
        )
        for day in session.scalars(query)
    ]


Closing = tuple[date, datetime]
"""A business day of a site, and the moment it closes."""


def day_not_over(newest: Sequence[Closing], *, now: datetime) -> date | None:
    """The first of a site's two newest days that is not over; two, because the next begins early when closing moves."""
    return min((day for day, closes_at in newest if closes_at > now), default=None)


def day_after(session: Session, site_id: UUID, newest: Sequence[Closing], *, now: datetime) -> date:
    """Between closing and its sweep the next day has not begun yet: it is the day after the last."""
    with session.no_autoflush:  # whoever asks is in the middle of writing
        site = session.get_one(Site, site_id)
    after_the_last = [day + timedelta(days=1) for day, _ in newest]
    return max([business_day(now, zone=site.zone, closing=site.closing), *after_the_last])


def business_day_at(session: Session, site_id: UUID, *, now: datetime) -> date:
    """The day a fact counts in: the first of the site's days that is not over; each keeps the closing it began with."""
    with session.no_autoflush:  # whoever asks is in the middle of writing
        rows = session.execute(
            select(SiteDay.day, SiteDay.closes_at)
            .where(SiteDay.site_id == site_id)
            .order_by(SiteDay.day.desc())
            .limit(2)
        ).all()
    newest = [(row.day, row.closes_at) for row in rows]
    return day_not_over(newest, now=now) or day_after(session, site_id, newest, now=now)


def business_month_at(session: Session, site_id: UUID, *, now: datetime) -> str:
    """The month a fact counts in [D13]: that of its business day."""
    return month_of(business_day_at(session, site_id, now=now))
