"""Fines to be deducted or deducted already [R93]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.models import Fine
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class FineView:
    """A fine to be deducted; `settlement_id` is the settlement that computed it."""

    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    offence: str
    month: str
    amount_fen: int
    confirmed_at: datetime
    settlement_id: UUID | None
    settled_at: datetime | None


def _fine_view(fine: Fine) -> FineView:
    return FineView(
        case_id=fine.case_id,
        case_number=fine.case_number,
        site_id=fine.site_id,
        person_id=fine.person_id,
        person_name=fine.person_name,
        offence=fine.offence,
        month=fine.month,
        amount_fen=fine.amount_fen,
        confirmed_at=fine.confirmed_at,
        settlement_id=fine.settlement_id,
        settled_at=fine.settled_at,
    )


def fines(session: Session, actor: Actor, *, after: UUID | None, limit: int, newest: bool = False) -> Page[FineView]:
    """Fines to be deducted or deducted already [R93]."""
    query = select(Fine).where(at_sites_of(actor, Fine.site_id))
    return page_of(session, query, Fine.case_id, _fine_view, after=after, limit=limit, newest=newest)
