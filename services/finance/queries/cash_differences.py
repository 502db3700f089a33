"""What was missing when cash was counted [R86, R88]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.models import CashDifference
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class CashDifferenceView:
    """What was missing (negative: too much) when cash was counted."""

    id: UUID
    hand_over_id: UUID
    site_id: UUID
    giver_id: UUID
    receiver_id: UUID
    amount_fen: int
    reason: str
    recorded_at: datetime
    made_good_by: UUID | None
    made_good_at: datetime | None


def cash_difference_view(difference: CashDifference) -> CashDifferenceView:
    """One difference as shown."""
    return CashDifferenceView(
        id=difference.id,
        hand_over_id=difference.hand_over_id,
        site_id=difference.site_id,
        giver_id=difference.giver_id,
        receiver_id=difference.receiver_id,
        amount_fen=difference.amount_fen,
        reason=difference.reason,
        recorded_at=difference.recorded_at,
        made_good_by=difference.made_good_by,
        made_good_at=difference.made_good_at,
    )


def cash_differences(
    session: Session, actor: Actor, *, after: UUID | None, limit: int, newest: bool = False
) -> Page[CashDifferenceView]:
    """Differences found when cash was counted, in the order they were confirmed [R86]."""
    query = select(CashDifference).where(at_sites_of(actor, CashDifference.site_id))
    return page_of(session, query, CashDifference.id, cash_difference_view, after=after, limit=limit, newest=newest)


def open_shortages(session: Session, actor: Actor) -> list[CashDifferenceView]:
    """What is still owed: shortages nobody made good yet, in the order they were confirmed [R86, D7]."""
    query = (
        select(CashDifference)
        .where(
            CashDifference.made_good_at.is_(None),
            CashDifference.amount_fen > 0,
            at_sites_of(actor, CashDifference.site_id),
        )
        .order_by(CashDifference.id)
    )
    return [cash_difference_view(difference) for difference in session.scalars(query)]
