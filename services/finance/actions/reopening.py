"""Reopening a month that was signed or computed: proposed by finance, decided by the leader [D16, D18]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from services.finance.actions.calculation import SUMS
from services.finance.actions.settlement import settlement_for
from services.finance.models import Reopening, Settlement, SettlementLine
from services.finance.rules.access import MAY
from services.finance.rules.reopening import REOPENING, ReopeningState, ReopeningStep, reopened
from shared.access import check_four_eyes
from shared.errors import RuleBroken
from shared.ids import new_id
from shared.people import Actor


def propose(session: Session, *, site_id: UUID, month: str, reason: str, actor: Actor, now: datetime) -> Reopening:
    """Finance asks for a month to be opened again; until the leader agrees nothing changes [D18]."""
    settlement = settlement_for(session, actor, site_id, month)
    reopened(settlement.state)
    if _open_proposal(session, settlement) is not None:
        raise RuleBroken("proposed_already", "a proposal to reopen this month waits for the leader", rule="D18")
    proposal = Reopening(
        id=new_id(),
        settlement_id=settlement.id,
        state=ReopeningState.PROPOSED,
        reason=reason,
        proposed_by=actor.person_id,
        proposed_at=now,
    )
    session.add(proposal)
    return proposal


def decide(
    session: Session, *, site_id: UUID, month: str, approve: bool, reason: str, actor: Actor, now: datetime
) -> Reopening:
    """The leader decides; what he approves voids both signatures and what was computed from them [D18]."""
    settlement = settlement_for(session, actor, site_id, month)
    proposal = _open_proposal(session, settlement)
    if proposal is None:
        raise RuleBroken("nothing_proposed", "nobody proposed to reopen this month", rule="D18", allowed=["reopen"])
    check_four_eyes(MAY["decide_reopening"], actor, proposer=proposal.proposed_by)
    if approve:
        _reopen(session, settlement)
    proposal.state = REOPENING.move(proposal.state, ReopeningStep.APPROVE if approve else ReopeningStep.REJECT)
    proposal.decided_by, proposal.decided_at, proposal.decision = actor.person_id, now, reason
    return proposal


def _open_proposal(session: Session, settlement: Settlement) -> Reopening | None:
    return session.scalars(
        select(Reopening).where(Reopening.settlement_id == settlement.id, Reopening.state == ReopeningState.PROPOSED)
    ).one_or_none()


_RELEASE = [
    text(f"UPDATE {table} SET settlement_id = NULL WHERE settlement_id = :settlement_id")  # noqa: S608  # our tables
    for table in ("fines", "proposals", "carryovers")
]


def _reopen(session: Session, settlement: Settlement) -> None:
    settlement.state = reopened(settlement.state)
    settlement.desk_agreed_by = settlement.desk_agreed_at = None
    settlement.finance_agreed_by = settlement.finance_agreed_at = None
    settlement.drafted_by = settlement.drafted_at = None
    for column in SUMS:
        setattr(settlement, column, 0)
    session.execute(delete(SettlementLine).where(SettlementLine.settlement_id == settlement.id))
    for release in _RELEASE:
        session.execute(release, {"settlement_id": settlement.id})
