"""The price book and what a version of it changes [R55-R57, D10]."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from services.finance.models import PriceVersion
from services.finance.rules.price import ChangedItem, PriceState, difference
from shared.errors import NotFound
from shared.messages import PriceItem as PriceItemView
from shared.paging import Page, page_of


@dataclass(frozen=True)
class PriceVersionView:
    """A version of the price book [R55, R56]."""

    id: UUID
    number: int
    state: str
    effective_from: date
    drafted_by: UUID
    approved_by: UUID | None
    approved_at: datetime | None
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None
    items: list[PriceItemView]


def price_version_view(version: PriceVersion) -> PriceVersionView:
    """One version as shown."""
    return PriceVersionView(
        id=version.id,
        number=version.number,
        state=version.state,
        effective_from=version.effective_from,
        drafted_by=version.drafted_by,
        approved_by=version.approved_by,
        approved_at=version.approved_at,
        withdrawn_by=version.withdrawn_by,
        withdrawn_at=version.withdrawn_at,
        items=_price_items(version),
    )


def _price_items(version: PriceVersion) -> list[PriceItemView]:
    return [
        PriceItemView(
            code=item.code,
            trade=item.trade,
            name=item.name,
            unit=item.unit,
            min_fen=item.min_fen,
            max_fen=item.max_fen,
        )
        for item in version.items
    ]


def price_versions(session: Session, *, after: UUID | None, limit: int, newest: bool = False) -> Page[PriceVersionView]:
    """Versions of the company's price book."""
    query = select(PriceVersion).options(selectinload(PriceVersion.items))
    return page_of(session, query, PriceVersion.id, price_version_view, after=after, limit=limit, newest=newest)


def _approved_on(session: Session, on: date, *, besides: UUID | None = None) -> PriceVersion | None:
    query = (
        select(PriceVersion)
        .where(PriceVersion.state == PriceState.APPROVED, PriceVersion.effective_from <= on)
        .order_by(PriceVersion.effective_from.desc(), PriceVersion.number.desc())
        .limit(1)
        .options(selectinload(PriceVersion.items))
    )
    return session.scalars(query if besides is None else query.where(PriceVersion.id != besides)).one_or_none()


def price_version_by_id(session: Session, version_id: UUID) -> PriceVersionView:
    """One version. Raises NotFound."""
    version = session.get(PriceVersion, version_id, options=[selectinload(PriceVersion.items)])
    if version is None:
        raise NotFound("price version", version_id)
    return price_version_view(version)


def in_force_until(session: Session, version: PriceVersionView) -> date | None:
    """The last day of a version: the one before the approved version that follows it begins; None while none does."""
    later = select(func.min(PriceVersion.effective_from)).where(
        PriceVersion.state == PriceState.APPROVED,
        tuple_(PriceVersion.effective_from, PriceVersion.number) > (version.effective_from, version.number),
    )
    first = session.scalars(later).one()
    return None if first is None else first - timedelta(days=1)


def price_version_in_force(session: Session, *, on: date) -> PriceVersionView:
    """The version fees are agreed from on a day: the approved one that began last [R55, R57, D10]. Raises NotFound."""
    version = _approved_on(session, on)
    if version is None:
        raise NotFound("price version in force on", on)
    return price_version_view(version)


def price_drafts(session: Session) -> list[PriceVersionView]:
    """Versions that wait for the leader [R56]."""
    query = (
        select(PriceVersion)
        .where(PriceVersion.state == PriceState.DRAFT)
        .order_by(PriceVersion.number)
        .options(selectinload(PriceVersion.items))
    )
    return [price_version_view(version) for version in session.scalars(query)]


@dataclass(frozen=True)
class PriceDifferenceView:
    """What a version changes against the one it follows; `against` is that one's number, none for the first."""

    version: int
    against: int | None
    added: list[PriceItemView]
    removed: list[PriceItemView]
    changed: list[ChangedItem]


def price_difference(session: Session, version_id: UUID) -> PriceDifferenceView:
    """What the leader is asked to approve, against what would hold without it on its first day [R56]."""
    version = session.get(PriceVersion, version_id, options=[selectinload(PriceVersion.items)])
    if version is None:
        raise NotFound("price version", version_id)
    before = _approved_on(session, version.effective_from, besides=version.id)
    found = difference(_price_items(before) if before else [], _price_items(version))
    return PriceDifferenceView(
        version.number, before.number if before else None, found.added, found.removed, found.changed
    )
