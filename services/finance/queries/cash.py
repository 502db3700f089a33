"""Cash: in whose hands it is, and what is in finance's till [R86]."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.finance.models import JournalLine, Person, Receipt
from services.finance.rules.ledger import Account
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class CashView:
    """Cash of a site in one person's hands."""

    site_id: UUID
    holder_id: UUID
    holder_name: str
    amount_fen: int
    receipts: int


def cash(session: Session, actor: Actor) -> list[CashView]:
    """Cash not with finance, by site and holder [R86]."""
    query = (
        select(Receipt.site_id, Person.id, Person.name, func.sum(Receipt.amount_fen - Receipt.short_fen), func.count())
        .join(Person, Person.id == Receipt.holder_id)
        .where(Receipt.holder_id.is_not(None), at_sites_of(actor, Receipt.site_id))
        .group_by(Receipt.site_id, Person.id)
        .order_by(Receipt.site_id, Person.id)
    )
    return [
        CashView(site_id, holder_id, name, int(amount_fen or 0), count)
        for site_id, holder_id, name, amount_fen, count in session.execute(query)
    ]


def till_fen(session: Session, site_id: UUID) -> int:
    """The cash of a site in finance's till, from the ledger."""
    debit = select(func.coalesce(func.sum(JournalLine.amount_fen), 0)).where(
        JournalLine.account == Account.CASH_AT_FINANCE, JournalLine.site_id == site_id
    )
    return int(session.scalars(debit).one())
