"""Proposals to reopen a month [D18]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.models import Reopening, Settlement
from services.finance.queries.settlements import settlement_of
from services.finance.rules.reopening import ReopeningState
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class ReopeningView:
    """A proposal to reopen a month, and the decision [D18]."""

    id: UUID
    settlement_id: UUID
    state: str
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None


def reopening_view(reopening: Reopening) -> ReopeningView:
    """One proposal to reopen as shown."""
    return ReopeningView(
        id=reopening.id,
        settlement_id=reopening.settlement_id,
        state=reopening.state,
        reason=reopening.reason,
        proposed_by=reopening.proposed_by,
        proposed_at=reopening.proposed_at,
        decided_by=reopening.decided_by,
        decided_at=reopening.decided_at,
        decision=reopening.decision,
    )


@dataclass(frozen=True)
class WaitingReopening:
    """A proposal to reopen a site's month that waits for the leader."""

    site_id: UUID
    month: str
    reopening: ReopeningView


def reopenings_waiting(session: Session, actor: Actor) -> list[WaitingReopening]:
    """Proposals to reopen a month that wait for the leader [D18]."""
    query = (
        select(Reopening, Settlement.site_id, Settlement.month)
        .join(Settlement, Settlement.id == Reopening.settlement_id)
        .where(Reopening.state == ReopeningState.PROPOSED, at_sites_of(actor, Settlement.site_id))
        .order_by(Reopening.id)
    )
    return [
        WaitingReopening(site_id, month, reopening_view(reopening))
        for reopening, site_id, month in session.execute(query)
    ]


def reopenings(session: Session, actor: Actor, *, site_id: UUID, month: str) -> list[ReopeningView]:
    """Every proposal to reopen a site's month, in order [D18]."""
    settlement = settlement_of(session, actor, site_id, month)
    query = select(Reopening).where(Reopening.settlement_id == settlement.id).order_by(Reopening.id)
    return [reopening_view(reopening) for reopening in session.scalars(query)]
