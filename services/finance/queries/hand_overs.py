"""Hand-overs of cash, each as its reader may see it [R36, R85]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from services.finance.models import HandOver
from services.finance.queries.own import own_only
from services.finance.rules.hand_over import OPEN, HandOverState
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class HandOverView:
    """Cash offered by one person to the next; its receiver is told the amount and receipts once he has counted."""

    id: UUID
    site_id: UUID
    from_id: UUID
    to_id: UUID
    state: str
    amount_fen: int | None
    receipt_ids: list[UUID]
    on_behalf_reason: str | None
    offered_at: datetime
    counted_fen: int | None
    counted_notes: dict[str, int] | None
    counted_at: datetime | None
    difference_reason: str | None


def _hand_over_view(hand_over: HandOver, reader: Actor) -> HandOverView:
    # who knows what should be there does not count: he is told afterwards [R85]
    blind = hand_over.state is HandOverState.OFFERED and hand_over.to_id == reader.person_id
    return HandOverView(
        id=hand_over.id,
        site_id=hand_over.site_id,
        from_id=hand_over.from_id,
        to_id=hand_over.to_id,
        state=hand_over.state,
        amount_fen=None if blind else hand_over.amount_fen,
        receipt_ids=[] if blind else [row.receipt_id for row in hand_over.receipts],
        on_behalf_reason=hand_over.on_behalf_reason,
        offered_at=hand_over.offered_at,
        counted_fen=hand_over.counted_fen,
        counted_notes=hand_over.counted_notes,
        counted_at=hand_over.counted_at,
        difference_reason=hand_over.difference_reason,
    )


def hand_overs(
    session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int, newest: bool = False
) -> Page[HandOverView]:
    """Hand-overs in order of offering, of one state or all; a worker's own only."""
    query = (
        select(HandOver)
        .where(
            at_sites_of(actor, HandOver.site_id), own_only("read_hand_overs", actor, HandOver.from_id, HandOver.to_id)
        )
        .options(selectinload(HandOver.receipts))
    )
    if state is not None:
        query = query.where(HandOver.state == state)
    return page_of(
        session, query, HandOver.id, lambda row: _hand_over_view(row, actor), after=after, limit=limit, newest=newest
    )


def hand_over_by_id(session: Session, actor: Actor, hand_over_id: UUID) -> HandOverView:
    """One hand-over. Raises NotFound when it is none of the person's sites, or of a worker's own."""
    query = (
        select(HandOver)
        .where(
            HandOver.id == hand_over_id,
            at_sites_of(actor, HandOver.site_id),
            own_only("read_hand_overs", actor, HandOver.from_id, HandOver.to_id),
        )
        .options(selectinload(HandOver.receipts))
    )
    hand_over = session.scalars(query).one_or_none()
    if hand_over is None:
        raise NotFound("hand-over", hand_over_id)
    return _hand_over_view(hand_over, actor)


def open_hand_overs(session: Session, actor: Actor) -> list[HandOverView]:
    """Hand-overs whose cash is still in the giver's hands, in order of offering; a worker's own only."""
    query = (
        select(HandOver)
        .where(
            HandOver.state.in_(OPEN),
            at_sites_of(actor, HandOver.site_id),
            own_only("read_hand_overs", actor, HandOver.from_id, HandOver.to_id),
        )
        .order_by(HandOver.id)
        .options(selectinload(HandOver.receipts))
    )
    return [_hand_over_view(row, actor) for row in session.scalars(query)]


def hand_over_as_left(session: Session, hand_over: HandOver, actor: Actor) -> HandOverView:
    """A hand-over as the action under way leaves it."""
    session.flush()
    return _hand_over_view(
        session.scalars(
            select(HandOver)
            .where(HandOver.id == hand_over.id)
            .options(selectinload(HandOver.receipts))
            .execution_options(populate_existing=True)
        ).one(),
        actor,
    )
