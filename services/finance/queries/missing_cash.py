"""Cash that was still out the next morning [R86, D6]."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.models import MissingCash
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class MissingCashView:
    """Cash that was still out the next morning: in his hands, or owed by him of a difference."""

    id: UUID
    site_id: UUID
    day: date
    holder_id: UUID
    holder_name: str
    difference_id: UUID | None
    amount_fen: int
    receipt_numbers: list[str]
    found_at: datetime
    returned_at: datetime | None


def _missing_cash_view(missing: MissingCash) -> MissingCashView:
    return MissingCashView(
        id=missing.id,
        site_id=missing.site_id,
        day=missing.day,
        holder_id=missing.holder_id,
        holder_name=missing.holder_name,
        difference_id=missing.difference_id,
        amount_fen=missing.amount_fen,
        receipt_numbers=missing.receipt_numbers,
        found_at=missing.found_at,
        returned_at=missing.returned_at,
    )


def missing_cash(
    session: Session, actor: Actor, *, after: UUID | None, limit: int, newest: bool = False
) -> Page[MissingCashView]:
    """Cash that was named as missing, in the order it was found; returned or not [R86]."""
    query = select(MissingCash).where(at_sites_of(actor, MissingCash.site_id))
    return page_of(session, query, MissingCash.id, _missing_cash_view, after=after, limit=limit, newest=newest)
