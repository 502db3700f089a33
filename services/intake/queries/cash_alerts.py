"""Cash of the desk that finance waits for [R36, R85, D6]."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import CashAlert
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class CashAlertView:
    """Cash finance waits for (fen)."""

    id: UUID
    site_id: UUID
    day: date
    holder_id: UUID
    amount_fen: int
    found_at: datetime
    returned_at: datetime | None


def cash_alerts(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[CashAlertView]:
    """Cash finance waits or waited for."""
    return page_of(
        session,
        select(CashAlert).where(at_sites_of(actor, CashAlert.site_id)),
        CashAlert.id,
        lambda a: CashAlertView(a.id, a.site_id, a.day, a.holder_id, a.amount_fen, a.found_at, a.returned_at),
        after=after,
        limit=limit,
    )
