"""The ledger: its chart, its balances and its journals."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
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


@dataclass(frozen=True)
class JournalSearch:
    """What is looked for in the ledger; what is None or empty does not matter.

    An amount (fen) is that of a line, on either side; a reference ends so; days are business days.
    """

    kind: str | None = None
    account: str | None = None
    amount_fen: int | None = None
    reference: str | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As conditions of a query of journals."""
        lines = [JournalLine.journal_id == Journal.id]
        if self.account is not None:
            lines.append(JournalLine.account == self.account)
        if self.amount_fen is not None:
            lines.append(func.abs(JournalLine.amount_fen) == self.amount_fen)
        asked: list[ColumnElement[bool]] = [exists().where(*lines)] if len(lines) > 1 else []
        if self.kind is not None:
            asked.append(Journal.kind == self.kind)
        if self.reference is not None:
            asked.append(Journal.reference.endswith(self.reference, autoescape=True))
        if self.first is not None:
            asked.append(Journal.day >= self.first)
        if self.last is not None:
            asked.append(Journal.day <= self.last)
        return asked


def journals(
    session: Session,
    actor: Actor,
    *,
    search: JournalSearch | None = None,
    after: UUID | None,
    limit: int,
    newest: bool = False,
) -> Page[JournalView]:
    """The ledger, in the order it was written; what is searched for, or all of it."""
    query = select(Journal).where(at_sites_of(actor, Journal.site_id)).options(selectinload(Journal.lines))
    if search is not None:
        query = query.where(*search.conditions())
    return page_of(session, query, Journal.id, _journal_view, after=after, limit=limit, newest=newest)


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
