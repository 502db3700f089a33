"""The ledger: its chart, its balances and its journals."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from services.finance.models import Journal, JournalLine
from services.finance.rules.ledger import CHART
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class BalanceView:
    """An account's balance: debit +, credit −."""

    account: str
    site_id: UUID
    person_id: UUID | None
    amount_fen: int


@dataclass(frozen=True)
class JournalLineView:
    """One side of an entry: debit +, credit −."""

    line: int
    account: str
    site_id: UUID
    person_id: UUID | None
    amount_fen: int


@dataclass(frozen=True)
class JournalView:
    """An entry of the ledger."""

    id: UUID
    site_id: UUID
    kind: str
    at: datetime
    reference: str
    lines: list[JournalLineView]


def balances(session: Session, actor: Actor) -> list[BalanceView]:
    """Every account's balance at the person's sites; all of them together are zero."""
    query = (
        select(JournalLine.account, JournalLine.site_id, JournalLine.person_id, func.sum(JournalLine.amount_fen))
        .where(at_sites_of(actor, JournalLine.site_id))
        .group_by(JournalLine.account, JournalLine.site_id, JournalLine.person_id)
        .order_by(JournalLine.site_id, JournalLine.account, JournalLine.person_id)
    )
    return [
        BalanceView(account, site_id, person_id, int(amount_fen))
        for account, site_id, person_id, amount_fen in session.execute(query)
    ]


def _journal_view(journal: Journal) -> JournalView:
    return JournalView(
        id=journal.id,
        site_id=journal.site_id,
        kind=journal.kind,
        at=journal.at,
        reference=journal.reference,
        lines=[
            JournalLineView(line.line, line.account, line.site_id, line.person_id, line.amount_fen)
            for line in journal.lines
        ],
    )


def journals(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[JournalView]:
    """The ledger, in the order it was written."""
    query = select(Journal).where(at_sites_of(actor, Journal.site_id)).options(selectinload(Journal.lines))
    return page_of(session, query, Journal.id, _journal_view, after=after, limit=limit)


@dataclass(frozen=True)
class AccountView:
    """An account of the chart; it grows on its normal side, and balances are shown debit +, credit -."""

    code: str
    english: str
    chinese: str
    kind: str
    normal_side: str
    by_person: bool


def accounts() -> list[AccountView]:
    """The chart of accounts."""
    return [
        AccountView(code, entry.english, entry.chinese, entry.kind, entry.normal_side, entry.by_person)
        for code, entry in CHART.items()
    ]
