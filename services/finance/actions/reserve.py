"""Using the reserve fund: the desk proposes, the leader in charge decides [R72-R77, D17]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.actions.people import colleague
from services.finance.models import Charge, Damage, Proposal, Site
from services.finance.queries.daily_checks import business_month_at
from services.finance.queries.reserves import reserve_fen
from services.finance.rules.access import MAY
from services.finance.rules.ledger import JournalKind, reserve_used
from services.finance.rules.reserve import (
    PROPOSAL,
    ProposalState,
    ProposalStep,
    Use,
    check_balance,
    check_cited,
    check_person,
    check_takes_part,
)
from shared.access import check_four_eyes
from shared.errors import NotFound
from shared.ids import new_id
from shared.people import Actor, site_for


def propose(
    session: Session,
    *,
    site_id: UUID,
    use: Use,
    person_id: UUID | None,
    amount_fen: int,
    reason: str,
    damage_id: UUID | None = None,
    request_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Proposal:
    """The desk drafts what the fund of its site is to be used for [R76].

    A loss may cite the damage reported [R74], a rework the job it belongs to [R75].
    """
    site = site_for(session, actor, site_id)
    check_person(use, person_id)
    check_cited(use, damage_id=damage_id, request_id=request_id)
    check_four_eyes(MAY["propose_reserve_use"], actor, beneficiary=person_id)
    if person_id is not None:
        check_takes_part(colleague(session, person_id, site_id=site.id).role)
    if request_id is not None:
        _check_ours(session.get(Charge, request_id), site.id, "charge", request_id)
    if damage_id is not None:
        _check_ours(session.get(Damage, damage_id), site.id, "damage", damage_id)
    proposal = Proposal(
        id=new_id(),
        site_id=site.id,
        use=use,
        person_id=person_id,
        amount_fen=amount_fen,
        reason=reason,
        state=ProposalState.PROPOSED,
        proposed_by=actor.person_id,
        proposed_at=now,
        damage_id=damage_id,
        request_id=request_id,
    )
    session.add(proposal)
    return proposal


def _check_ours(cited: Charge | Damage | None, site_id: UUID, what: str, id_: UUID) -> None:
    if cited is None or cited.site_id != site_id:
        raise NotFound(what, id_)


def decide(session: Session, *, proposal_id: UUID, approve: bool, reason: str, actor: Actor, now: datetime) -> Proposal:
    """The leader in charge decides [R77]; what he approves leaves the fund at once and never overdraws it."""
    proposal = session.get(Proposal, proposal_id, with_for_update=True)
    if proposal is None or not actor.sees(proposal.site_id):
        raise NotFound("proposal", proposal_id)
    state = PROPOSAL.move(proposal.state, ProposalStep.APPROVE if approve else ProposalStep.REJECT)
    check_four_eyes(MAY["decide_reserve_use"], actor, proposer=proposal.proposed_by, beneficiary=proposal.person_id)
    if approve:
        _spend(session, proposal, now=now)
    proposal.state = state
    proposal.decided_by, proposal.decided_at, proposal.decision = actor.person_id, now, reason
    return proposal


def _spend(session: Session, proposal: Proposal, *, now: datetime) -> None:
    # one use of a site's fund at a time; fees may come in meanwhile
    site = session.scalars(select(Site).where(Site.id == proposal.site_id).with_for_update(key_share=True)).one()
    check_balance(balance_fen=reserve_fen(session, site.id), amount_fen=proposal.amount_fen)
    proposal.month = business_month_at(session, site.id, now=now)
    post(
        session,
        site_id=site.id,
        kind=JournalKind(proposal.use),
        reference=str(proposal.id),
        lines=reserve_used(proposal.use, proposal.amount_fen, person_id=proposal.person_id),
        now=now,
    )
