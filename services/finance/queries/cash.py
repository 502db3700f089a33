"""Cash: in whose hands it is, and what is in finance's till [R86]."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from services.finance.models import HandOverReceipt, JournalLine, Person, Receipt
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


@dataclass(frozen=True)
class OwnCashView:
    """Cash of a site in the person's own hands: all of it, and what he has not offered to the next yet."""

    site_id: UUID
    amount_fen: int
    free_fen: int
    receipts: int


def own_cash(session: Session, actor: Actor) -> list[OwnCashView]:
    """The cash in the person's own hands, by site [R36, R84]."""
    fen = Receipt.amount_fen - Receipt.short_fen
    offered = exists().where(HandOverReceipt.receipt_id == Receipt.id, HandOverReceipt.open)
    query = (
        select(Receipt.site_id, func.sum(fen), func.coalesce(func.sum(fen).filter(~offered), 0), func.count())
        .where(Receipt.holder_id == actor.person_id, at_sites_of(actor, Receipt.site_id))
        .group_by(Receipt.site_id)
        .order_by(Receipt.site_id)
    )
    return [
        OwnCashView(site_id, int(amount_fen or 0), int(free_fen or 0), receipts)
        for site_id, amount_fen, free_fen, receipts in session.execute(query)
    ]


def tills(session: Session, actor: Actor) -> dict[UUID, int]:
    """Site -> the cash (fen) in finance's till of it, from the ledger; a site without any is not among them."""
    query = (
        select(JournalLine.site_id, func.sum(JournalLine.amount_fen))
        .where(JournalLine.account == Account.CASH_AT_FINANCE, at_sites_of(actor, JournalLine.site_id))
        .group_by(JournalLine.site_id)
    )
    return {site_id: int(fen) for site_id, fen in session.execute(query)}


def till_fen(session: Session, site_id: UUID) -> int:
    """The cash of a site in finance's till, from the ledger."""
    debit = select(func.coalesce(func.sum(JournalLine.amount_fen), 0)).where(
        JournalLine.account == Account.CASH_AT_FINANCE, JournalLine.site_id == site_id
    )
    return int(session.scalars(debit).one())
