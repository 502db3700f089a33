"""The reserve funds and their uses [R72-R77, D17]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.finance.actions import reserve
from services.finance.api.may import may
from services.finance.queries.reserves import (
    ProposalView,
    ReserveStatementView,
    ReserveView,
    proposal_view,
    proposals,
    reserve_statement,
    reserves,
)
from services.finance.rules.reserve import ProposalState, Use
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, MonthName, Words

routes = APIRouter(tags=["reserves"])


class ProposeReserveUse(Body):
    """What the fund is to be used for; a reward names its person [R73-R76]."""

    site_id: UUID
    use: Use
    person_id: UUID | None = None
    amount_fen: PositiveFen
    reason: Words
    damage_id: UUID | None = Field(default=None, description="the damage a loss makes good [R74]")
    request_id: UUID | None = Field(default=None, description="the job a rework belongs to [R75]")


class DecideReserveUse(Body):
    """The leader's decision [R77]."""

    approve: bool
    reason: Words


@routes.get("/reserve", summary="What each site's reserve fund holds [R72]")
def list_reserves(edge: Annotated[Edge, may("read_reserve")]) -> list[ReserveView]:
    return reserves(edge.session, edge.actor)


@routes.post("/reserve/proposals", status_code=201, summary="Propose a use of the reserve fund [R73-R76]")
def propose_reserve_use(body: ProposeReserveUse, edge: Annotated[Edge, may("propose_reserve_use")]) -> ProposalView:
    def act() -> ProposalView:
        proposed = reserve.propose(
            edge.session,
            site_id=body.site_id,
            use=body.use,
            person_id=body.person_id,
            amount_fen=body.amount_fen,
            reason=body.reason,
            damage_id=body.damage_id,
            request_id=body.request_id,
            actor=edge.actor,
            now=edge.now,
        )
        return proposal_view(proposed)

    return edge.once(body, act)


@routes.get("/reserve/proposals", summary="Proposed uses of the reserve fund [R76]")
def list_proposals(
    edge: Annotated[Edge, may("read_reserve")],
    state: ProposalState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ProposalView]:
    return proposals(edge.session, edge.actor, state=state, after=after, limit=limit)


@routes.post("/reserve/proposals/{proposal_id}/decide", summary="The leader in charge approves or rejects [R77, D17]")
def decide_reserve_use(
    proposal_id: UUID, body: DecideReserveUse, edge: Annotated[Edge, may("decide_reserve_use")]
) -> ProposalView:
    def act() -> ProposalView:
        decided = reserve.decide(
            edge.session,
            proposal_id=proposal_id,
            approve=body.approve,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return proposal_view(decided)

    return edge.once(body, act)


@routes.get("/reserve/{site_id}/statement", summary="A month of the reserve fund, from the ledger [R72-R77]")
def read_reserve_statement(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_reserve")]
) -> ReserveStatementView:
    return reserve_statement(edge.session, edge.actor, site_id=site_id, month=month)
