"""What follows a decision: it is accepted or appealed against."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.hr.actions import appeal
from services.hr.api.may import may
from services.hr.queries.cases import CaseView, case_by_id
from shared.web import Body, Edge, Reason, Words

routes = APIRouter(tags=["appeals"])


class DecideAppeal(Body):
    """Whether the decision stands, and why."""

    uphold: bool
    reason: Words


@routes.post("/cases/{case_id}/accept", summary="The person charged accepts the decision, which is final [D19]")
def accept_case(case_id: UUID, edge: Annotated[Edge, may("accept_case")]) -> CaseView:
    def act() -> CaseView:
        appeal.accept(edge.session, case_id=case_id, actor=edge.actor, now=edge.now)
        return case_by_id(edge.session, edge.actor, case_id)

    return edge.once(None, act)


@routes.post("/cases/{case_id}/appeal", summary="The person charged appeals, in time [D19]")
def appeal_case(case_id: UUID, body: Reason, edge: Annotated[Edge, may("appeal_case")]) -> CaseView:
    def act() -> CaseView:
        appeal.open_(edge.session, case_id=case_id, reason=body.reason, actor=edge.actor, now=edge.now)
        return case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@routes.post("/cases/{case_id}/decide-appeal", summary="Another leader upholds the decision or lifts it [D18, D19]")
def decide_appeal(case_id: UUID, body: DecideAppeal, edge: Annotated[Edge, may("decide_appeal")]) -> CaseView:
    def act() -> CaseView:
        appeal.decide(
            edge.session,
            case_id=case_id,
            uphold=body.uphold,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)
