"""Second factors that were lost, with their recovery codes: taken away by two."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.hr.actions import factor_reset
from services.hr.api.may import may
from services.hr.queries.factor_resets import FactorResetView, factor_reset_view, factor_resets
from shared.paging import Page
from shared.web import After, Edge, Limit, Reason

routes = APIRouter(tags=["logins"])


@routes.post(
    "/people/{person_id}/factor-reset", status_code=201, summary="Propose to take a lost second factor away [D18]"
)
def propose_factor_reset(
    person_id: UUID, body: Reason, edge: Annotated[Edge, may("propose_factor_reset")]
) -> FactorResetView:
    made = factor_reset.propose(edge.session, person_id=person_id, reason=body.reason, actor=edge.actor, now=edge.now)
    return factor_reset_view(made)


@routes.post("/people/{person_id}/factor-reset/confirm", summary="Another confirms it [D18]")
def confirm_factor_reset(person_id: UUID, edge: Annotated[Edge, may("confirm_factor_reset")]) -> FactorResetView:
    return factor_reset_view(factor_reset.confirm(edge.session, person_id=person_id, actor=edge.actor, now=edge.now))


@routes.get("/factor-resets", summary="Second factors that were proposed to be taken away, and by whom")
def list_factor_resets(
    edge: Annotated[Edge, may("read_factor_resets")], after: After = None, limit: Limit = 100
) -> Page[FactorResetView]:
    return factor_resets(edge.session, edge.actor, after=after, limit=limit)
