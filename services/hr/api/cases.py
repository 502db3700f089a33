"""Discipline cases until the leader decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.hr.actions import case
from services.hr.api.may import may
from services.hr.queries.cases import CaseView, case_by_id, cases, own_cases
from services.hr.rules.case import CaseState, Charge
from services.hr.rules.ladder import Offence
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Moment, Words

routes = APIRouter(tags=["cases"])


class OpenCase(Body):
    """Who did what; `amount_fen` for withheld cash alone, `override_id` for neglect alone.

    Without `in_working_hours` the person's shift and the site's holidays at that moment say it.
    """

    offence: Offence
    site_id: UUID
    person_id: UUID
    happened_at: Moment
    in_working_hours: bool | None = None
    evidence: Words
    amount_fen: PositiveFen | None = None
    override_id: UUID | None = None


class AddEvidence(Body):
    """What else is known."""

    text: Words


class HearCase(Body):
    """What the person charged said, or why he did not come."""

    statement: Words
    attended: bool


class DecideCase(Body):
    """The leader's decision and its reason."""

    confirm: bool
    reason: Words


@routes.post("/cases", status_code=201, summary="Open a discipline case [R78, R81, R88]")
def open_case(body: OpenCase, edge: Annotated[Edge, may("open_case")]) -> CaseView:
    def act() -> CaseView:
        made = case.open_(edge.session, charge=Charge(**dict(body)), actor=edge.actor, now=edge.now)
        return case_by_id(edge.session, edge.actor, made.id)

    return edge.once(body, act)


@routes.get("/cases", summary="Discipline cases in the order they were opened")
def list_cases(
    edge: Annotated[Edge, may("read_cases")], state: CaseState | None = None, after: After = None, limit: Limit = 100
) -> Page[CaseView]:
    return cases(edge.session, edge.actor, state=state, after=after, limit=limit)


@routes.get("/cases/mine", summary="The cases against the person asking [D19]")
def list_own_cases(edge: Annotated[Edge, may("read_own")], after: After = None, limit: Limit = 100) -> Page[CaseView]:
    return own_cases(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/cases/{case_id}/evidence", summary="Add evidence, for or against [D19]")
def add_evidence(case_id: UUID, body: AddEvidence, edge: Annotated[Edge, may("add_evidence")]) -> CaseView:
    def act() -> CaseView:
        case.add_evidence(edge.session, case_id=case_id, words=body.text, actor=edge.actor, now=edge.now)
        return case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@routes.post("/cases/{case_id}/hear", summary="Note what the person charged says, before anything is decided [D19]")
def hear_case(case_id: UUID, body: HearCase, edge: Annotated[Edge, may("hear_case")]) -> CaseView:
    def act() -> CaseView:
        case.hear(
            edge.session,
            case_id=case_id,
            statement=body.statement,
            attended=body.attended,
            actor=edge.actor,
            now=edge.now,
        )
        return case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)


@routes.post(
    "/cases/{case_id}/decide", summary="Confirm, with the ladder's penalty once final, or dismiss [R78-R83, R88, D19]"
)
def decide_case(case_id: UUID, body: DecideCase, edge: Annotated[Edge, may("decide_case")]) -> CaseView:
    def act() -> CaseView:
        case.decide(
            edge.session,
            case_id=case_id,
            confirm=body.confirm,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return case_by_id(edge.session, edge.actor, case_id)

    return edge.once(body, act)
