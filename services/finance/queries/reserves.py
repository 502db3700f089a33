"""The reserve funds: what they hold, how they moved, and proposed uses [R72-R77, D17]."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.finance.models import JournalLine, Proposal, Site
from services.finance.rules.ledger import Account
from shared.access import at_sites_of
from shared.calendar import first_day, last_day
from shared.paging import Page, page_of
from shared.people import Actor, site_for


@dataclass(frozen=True)
class ReserveView:
    """What a site's reserve fund holds."""

    site_id: UUID
    balance_fen: int


@dataclass(frozen=True)
class ProposalView:
    """A proposed use of the reserve fund; `month` is the one it was approved in."""

    id: UUID
    site_id: UUID
    use: str
    person_id: UUID | None
    amount_fen: int
    reason: str
    state: str
    proposed_by: UUID
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    month: str | None
    settlement_id: UUID | None
    damage_id: UUID | None
    request_id: UUID | None


def reserve_fen(session: Session, site_id: UUID) -> int:
    """What a site's reserve fund holds, from the ledger: its credits less its debits [R72]."""
    credit = select(-func.coalesce(func.sum(JournalLine.amount_fen), 0)).where(
        JournalLine.account == Account.RESERVE_FUND, JournalLine.site_id == site_id
    )
    return int(session.scalars(credit).one())


def reserves(session: Session, actor: Actor) -> list[ReserveView]:
    """The reserve fund of each of the person's sites, by code."""
    query = (
        select(Site.id, -func.coalesce(func.sum(JournalLine.amount_fen), 0))
        .outerjoin(JournalLine, (JournalLine.site_id == Site.id) & (JournalLine.account == Account.RESERVE_FUND))
        .where(at_sites_of(actor, Site.id))
        .group_by(Site.id)
        .order_by(Site.code)
    )
    return [ReserveView(site_id, int(balance_fen)) for site_id, balance_fen in session.execute(query)]


def proposal_view(proposal: Proposal) -> ProposalView:
    """One proposal as shown."""
    return ProposalView(
        id=proposal.id,
        site_id=proposal.site_id,
        use=proposal.use,
        person_id=proposal.person_id,
        amount_fen=proposal.amount_fen,
        reason=proposal.reason,
        state=proposal.state,
        proposed_by=proposal.proposed_by,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        decision=proposal.decision,
        month=proposal.month,
        settlement_id=proposal.settlement_id,
        damage_id=proposal.damage_id,
        request_id=proposal.request_id,
    )


def proposals(
    session: Session, actor: Actor, *, state: str | None, after: UUID | None, limit: int, newest: bool = False
) -> Page[ProposalView]:
    """Proposals in order of drafting, of one state or all."""
    query = select(Proposal).where(at_sites_of(actor, Proposal.site_id))
    if state is not None:
        query = query.where(Proposal.state == state)
    return page_of(session, query, Proposal.id, proposal_view, after=after, limit=limit, newest=newest)


@dataclass(frozen=True)
class ReserveMovementView:
    """What came into the fund (+) or left it (-) on a day; a use has its proposal, shares of fees are added up."""

    day: date
    kind: str
    amount_fen: int
    proposal_id: UUID | None
    reason: str | None


@dataclass(frozen=True)
class ReserveStatementView:
    """A month of a site's reserve fund, from the ledger [R72-R77]."""

    site_id: UUID
    month: str
    opening_fen: int
    movements: list[ReserveMovementView]
    closing_fen: int


_MOVED = """
    SELECT j.kind, p.id AS proposal_id, p.reason, j.day, -l.amount_fen AS fen
    FROM journal_lines l
    JOIN journals j ON j.id = l.journal_id
    LEFT JOIN proposals p ON CAST(p.id AS text) = j.reference AND p.use = j.kind AND p.site_id = l.site_id
    WHERE l.account = 'reserve_fund' AND l.site_id = :site_id
"""


_OPENING = text(f"SELECT coalesce(sum(fen), 0) FROM ({_MOVED}) moved WHERE day < :first")  # noqa: S608  # our own SQL


_MOVEMENTS = text(f"""
    SELECT day, kind, sum(fen) AS fen, proposal_id, reason FROM ({_MOVED}) moved
    WHERE day BETWEEN :first AND :last
    GROUP BY day, kind, proposal_id, reason ORDER BY day, kind, proposal_id
""")  # noqa: S608  # our own SQL


def reserve_statement(session: Session, actor: Actor, *, site_id: UUID, month: str) -> ReserveStatementView:
    """Opening balance, every movement, closing balance [R72-R77]. Raises NotFound at a site of others."""
    site_for(session, actor, site_id)
    keys = {"site_id": site_id, "first": first_day(month), "last": last_day(month)}
    opening = int(session.execute(_OPENING, keys).scalar_one())
    movements = [
        ReserveMovementView(row.day, row.kind, int(row.fen), row.proposal_id, row.reason)
        for row in session.execute(_MOVEMENTS, keys)
    ]
    return ReserveStatementView(
        site_id, month, opening, movements, opening + sum(movement.amount_fen for movement in movements)
    )
