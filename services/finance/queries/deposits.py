"""Deposits of till cash at the bank [R87]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.models import Deposit
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class DepositView:
    """Cash that was taken to the bank; `reference` is the bank's slip."""

    id: UUID
    site_id: UUID
    amount_fen: int
    reference: str
    deposited_by: UUID
    deposited_at: datetime


def deposit_view(deposit: Deposit) -> DepositView:
    """One deposit as shown."""
    return DepositView(
        id=deposit.id,
        site_id=deposit.site_id,
        amount_fen=deposit.amount_fen,
        reference=deposit.reference,
        deposited_by=deposit.deposited_by,
        deposited_at=deposit.deposited_at,
    )


def deposits(
    session: Session, actor: Actor, *, after: UUID | None, limit: int, newest: bool = False
) -> Page[DepositView]:
    """Deposits in the order they were recorded."""
    query = select(Deposit).where(at_sites_of(actor, Deposit.site_id))
    return page_of(session, query, Deposit.id, deposit_view, after=after, limit=limit, newest=newest)
