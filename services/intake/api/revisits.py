"""Calls to owners after the work [R37-R39]."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.intake.actions import revisit
from services.intake.api.may import may
from services.intake.queries.requests import RequestView, request_by_id
from services.intake.queries.revisits import RevisitDue, revisits_due
from services.intake.rules.revisit import Survey
from shared.errors import Malformed
from shared.paging import Page
from shared.web import Body, Edge, Limit, Moment, Reason, Words

routes = APIRouter(tags=["revisits"])


OneToFive = Annotated[int, Field(ge=1, le=5, strict=True)]


class SurveyAnswers(Body):
    """The three questions of the revisit [R37]."""

    quality: OneToFive = Field(description="the work, from 1 (bad) to 5 (good)")
    attitude: OneToFive = Field(description="the people, from 1 (bad) to 5 (good)")
    price_as_agreed: bool = Field(strict=True)


class RecordRevisit(Body):
    """What the owner said; whoever is reached answers the survey, a problem needs the next visit's time [R37-R39]."""

    outcome: Literal["not_reached", "satisfied", "problem"]
    note: Words
    survey: SurveyAnswers | None = None
    visit_from: Moment | None = None
    visit_to: Moment | None = None


@routes.get("/revisits", summary="Revisits whose time has come, or owners who are unreachable, the oldest first [R37]")
def list_revisits(
    edge: Annotated[Edge, may("read_requests")],
    *,
    unreachable: bool = False,
    after: Annotated[UUID | None, Query(description="`next` of the page before, a request's id")] = None,
    limit: Limit = 100,
) -> Page[RevisitDue]:
    return revisits_due(edge.session, edge.actor, unreachable=unreachable, after=after, limit=limit)


@routes.post("/requests/{request_id}/revisit", summary="Record what the owner said at the revisit [R37-R39]")
def record_revisit(request_id: UUID, body: RecordRevisit, edge: Annotated[Edge, may("record_revisit")]) -> RequestView:
    def act() -> RequestView:
        called: dict[str, Any] = {
            "session": edge.session,
            "request_id": request_id,
            "actor": edge.actor,
            "now": edge.now,
        }
        if body.outcome == "not_reached":
            revisit.not_reached(**called, note=body.note)
            return request_by_id(edge.session, edge.actor, request_id)
        if body.survey is None:
            raise Malformed("survey_needed", "an owner who is reached is asked the three questions", rule="R37")
        survey = Survey(**dict(body.survey))
        if body.outcome == "satisfied":
            revisit.satisfied(**called, note=body.note, survey=survey)
        else:
            if body.visit_from is None or body.visit_to is None:
                raise Malformed("visit_needed", "a problem needs visit_from and visit_to of the rework", rule="R39")
            revisit.problem_found(
                **called, problem=body.note, survey=survey, visit_from=body.visit_from, visit_to=body.visit_to
            )
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)


@routes.post(
    "/requests/{request_id}/close-unreachable", summary="End a request whose owner cannot be reached [R39, D25]"
)
def close_unreachable(request_id: UUID, body: Reason, edge: Annotated[Edge, may("close_unreachable")]) -> RequestView:
    def act() -> RequestView:
        revisit.close_unreachable(
            edge.session, request_id=request_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return request_by_id(edge.session, edge.actor, request_id)

    return edge.once(body, act)
