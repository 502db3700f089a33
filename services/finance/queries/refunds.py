"""Fees given back [D13, D16]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from services.finance.models import Refund
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class RefundShareView:
    """What one worker's share is lessened by (negative)."""

    person_id: UUID
    share_fen: int


@dataclass(frozen=True)
class RefundView:
    """A fee given back, all or part; `month` and the three parts are set once it is approved."""

    id: UUID
    receipt_id: UUID
    receipt_number: str
    request_id: UUID
    site_id: UUID
    department: str
    amount_fen: int
    reason: str
    method: str
    state: str
    proposed_by: UUID
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    month: str | None
    company_fen: int | None
    workers_fen: int | None
    reserve_fen: int | None
    shares: list[RefundShareView]


REFUND = (selectinload(Refund.shares), joinedload(Refund.receipt))


def _refund_view(refund: Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        receipt_id=refund.receipt_id,
        receipt_number=refund.receipt.number,
        request_id=refund.request_id,
        site_id=refund.site_id,
        department=refund.department,
        amount_fen=refund.amount_fen,
        reason=refund.reason,
        method=refund.method,
        state=refund.state,
        proposed_by=refund.proposed_by,
        decided_by=refund.decided_by,
        decided_at=refund.decided_at,
        decision=refund.decision,
        month=refund.month,
        company_fen=refund.company_fen,
        workers_fen=refund.workers_fen,
        reserve_fen=refund.reserve_fen,
        shares=[RefundShareView(share.person_id, share.share_fen) for share in refund.shares],
    )


def refunds(
    session: Session,
    actor: Actor,
    *,
    month: str | None,
    state: str | None = None,
    receipt_id: UUID | None = None,
    after: UUID | None,
    limit: int,
    newest: bool = False,
) -> Page[RefundView]:
    """Refunds in the order they were proposed, of one month, state or receipt, or all [D13, D16]."""
    query = select(Refund).where(at_sites_of(actor, Refund.site_id)).options(*REFUND)
    if month is not None:
        query = query.where(Refund.month == month)
    if state is not None:
        query = query.where(Refund.state == state)
    if receipt_id is not None:
        query = query.where(Refund.receipt_id == receipt_id)
    return page_of(session, query, Refund.id, _refund_view, after=after, limit=limit, newest=newest)


def refund_as_left(session: Session, refund: Refund) -> RefundView:
    """A refund as the action under way leaves it."""
    session.flush()
    query = select(Refund).where(Refund.id == refund.id).options(*REFUND).execution_options(populate_existing=True)
    return _refund_view(session.scalars(query).one())
