"""The price book in force, and what the desk tells an owner who asks [R22, R55]."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import PriceItem, Site
from services.intake.queries.answers import AnswerView, answers_about
from services.intake.rules.price import Price
from shared.access import at_sites_of
from shared.calendar import local
from shared.people import Actor


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
class LookupView:
    """What the desk can tell an owner: prices (fen) and answers that have the words in them [R22]."""

    prices: list[PriceView]
    answers: list[AnswerView]


def version_in_force(session: Session, day: date) -> int | None:
    """The newest approved version of the price book that is effective on `day`; None before the first."""
    return session.scalars(
        select(PriceItem.version)
        .where(PriceItem.effective_from <= day)
        .order_by(PriceItem.effective_from.desc(), PriceItem.version.desc())
        .limit(1)
    ).one_or_none()


def prices_of(session: Session, version: int | None, codes: Collection[str]) -> dict[str, Price]:
    """Those of the items that the version has, by code."""
    rows = session.scalars(select(PriceItem).where(PriceItem.version == version, PriceItem.code.in_(codes)))
    return {i.code: Price(i.version, i.code, i.trade, i.name, i.unit, i.min_fen, i.max_fen) for i in rows}


def book_of(session: Session, version: int | None, trade: str) -> list[PriceView]:
    """The items of a trade in a version of the price book: what a fee of that trade may be made of [R57, D10]."""
    query = select(PriceItem).where(PriceItem.version == version, PriceItem.trade == trade)
    return [
        PriceView(i.version, i.code, i.trade, i.name, i.unit, i.min_fen, i.max_fen, i.effective_from)
        for i in session.scalars(query.order_by(PriceItem.code))
    ]


def prices(session: Session, actor: Actor, *, now: datetime) -> list[PriceView]:
    """The price book in force today, by the clock of the first of the person's sites."""
    first = select(Site.zone).where(at_sites_of(actor, Site.id)).order_by(Site.code).limit(1)
    version = version_in_force(session, local(now, session.scalars(first).one_or_none() or "UTC").date())
    return [
        PriceView(i.version, i.code, i.trade, i.name, i.unit, i.min_fen, i.max_fen, i.effective_from)
        for i in session.scalars(select(PriceItem).where(PriceItem.version == version).order_by(PriceItem.code))
    ]


def price_lookup(session: Session, actor: Actor, *, q: str, trade: str | None, now: datetime) -> LookupView:
    """Prices and answers with these words, of one trade or all: what the desk tells an owner who asks [R22]."""
    return LookupView(
        [
            price
            for price in prices(session, actor, now=now)
            if trade in (None, price.trade) and q.casefold() in f"{price.code} {price.name}".casefold()
        ],
        answers_about(session, actor, q=q, trade=trade),
    )
