"""Drafting and approving the price book [R55-R57, D10]."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, selectinload

from services.finance.models import PriceItem, PriceVersion, Site
from services.finance.rules.access import MAY
from services.finance.rules.price import PRICE_VERSION, PriceState, PriceStep, check_effective, check_items
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.calendar import local
from shared.errors import NotFound
from shared.ids import new_id
from shared.messages import PriceItem as PublishedItem
from shared.messages import PricePublished
from shared.people import Actor
from shared.walls import across_sites


def draft(
    session: Session, *, effective_from: date, items: Sequence[PublishedItem], actor: Actor, now: datetime
) -> PriceVersion:
    """Draft the next version; it means nothing until the leader approves it [R55]."""
    check_items(items)
    # versions are numbered without gaps: whoever drafts at the same time waits for us
    session.execute(text("LOCK TABLE price_versions IN SHARE ROW EXCLUSIVE MODE"))
    last = session.scalars(select(func.coalesce(func.max(PriceVersion.number), 0))).one()
    version = PriceVersion(
        id=new_id(),
        number=last + 1,
        state=PriceState.DRAFT,
        effective_from=effective_from,
        drafted_by=actor.person_id,
        drafted_at=now,
        items=[PriceItem(**item.model_dump()) for item in items],
    )
    session.add(version)
    return version


def approve(session: Session, *, version_id: UUID, actor: Actor, now: datetime) -> PriceVersion:
    """The leader in charge approves a version: the front desk may agree fees from it [R56]."""
    version = _version(session, version_id)
    state = PRICE_VERSION.move(version.state, PriceStep.APPROVE)
    check_four_eyes(MAY["approve_prices"], actor, proposer=version.drafted_by)
    check_effective(effective_from=version.effective_from, today=_today(session, now))
    version.state = state
    version.approved_by, version.approved_at = actor.person_id, now
    publish(
        session,
        PricePublished(
            version=version.number,
            effective_from=version.effective_from,
            items=[
                PublishedItem(
                    code=item.code,
                    trade=item.trade,
                    name=item.name,
                    unit=item.unit,
                    min_fen=item.min_fen,
                    max_fen=item.max_fen,
                )
                for item in version.items
            ],
            approved_at=now,
        ),
    )
    return version


def withdraw(session: Session, *, version_id: UUID, actor: Actor, now: datetime) -> PriceVersion:
    """Finance takes a draft back; its number stays used [R55]."""
    version = _version(session, version_id)
    version.state = PRICE_VERSION.move(version.state, PriceStep.WITHDRAW)
    version.withdrawn_by, version.withdrawn_at = actor.person_id, now
    return version


def _version(session: Session, version_id: UUID) -> PriceVersion:
    """A version with its items, locked. Raises NotFound."""
    version = session.scalars(
        select(PriceVersion)
        .where(PriceVersion.id == version_id)
        .options(selectinload(PriceVersion.items))
        .with_for_update()
    ).one_or_none()
    if version is None:
        raise NotFound("price version", version_id)
    return version


def _today(session: Session, now: datetime) -> date:
    """The day it is where the clock is furthest behind: the price book is one for all sites."""
    with across_sites(session):
        zones = session.scalars(select(Site.zone).distinct()).all()
    return min((local(now, zone).date() for zone in zones), default=now.date())
