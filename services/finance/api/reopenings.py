"""Reopening a month before it is approved [D16, D18]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.finance.actions import reopening
from services.finance.api.may import may
from services.finance.queries.reopenings import ReopeningView, reopening_view, reopenings
from shared.web import Body, Edge, MonthName, Reason, Words

routes = APIRouter(tags=["reopenings"])


class DecideReopening(Body):
    """The leader's decision [D18]; approving voids both signatures."""

    approve: bool
    reason: Words


@routes.post(
    "/settlements/{site_id}/{month}/reopen", status_code=201, summary="Propose to reopen a month not approved yet [D18]"
)
def reopen_settlement(
    site_id: UUID, month: MonthName, body: Reason, edge: Annotated[Edge, may("propose_reopening")]
) -> ReopeningView:
    def act() -> ReopeningView:
        proposed = reopening.propose(
            edge.session, site_id=site_id, month=month, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return reopening_view(proposed)

    return edge.once(body, act)


@routes.post("/settlements/{site_id}/{month}/reopen/decide", summary="Decide whether a month is reopened [D16, D18]")
def decide_reopening(
    site_id: UUID, month: MonthName, body: DecideReopening, edge: Annotated[Edge, may("decide_reopening")]
) -> ReopeningView:
    def act() -> ReopeningView:
        decided = reopening.decide(
            edge.session,
            site_id=site_id,
            month=month,
            approve=body.approve,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return reopening_view(decided)

    return edge.once(body, act)


@routes.get("/settlements/{site_id}/{month}/reopenings", summary="Every proposal to reopen a month [D18]")
def list_reopenings(
    site_id: UUID, month: MonthName, edge: Annotated[Edge, may("read_settlements")]
) -> list[ReopeningView]:
    return reopenings(edge.session, edge.actor, site_id=site_id, month=month)
