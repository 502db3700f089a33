"""Questions of the desk, and the department's answers [R19, R23]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.dispatch.actions import consultation
from services.dispatch.api.may import may
from services.dispatch.queries.consultations import ConsultationView, consultation_view, consultations
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Words

routes = APIRouter(tags=["consultations"])


class Answer(Body):
    """What the department says."""

    answer: Words


@routes.get("/consultations", summary="Questions of the desk; `open=true` are those without answer [R19, R23]")
def list_consultations(
    edge: Annotated[Edge, may("read_consultations")],
    unanswered: Annotated[bool | None, Query(alias="open")] = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ConsultationView]:
    return consultations(edge.session, edge.actor, unanswered=unanswered, after=after, limit=limit)


@routes.post("/consultations/{consultation_id}/answer", summary="The department's answer [R19, R23]")
def answer_consultation(
    consultation_id: UUID, body: Answer, edge: Annotated[Edge, may("answer_consultation")]
) -> ConsultationView:
    answered = consultation.answer(
        edge.session, consultation_id=consultation_id, answer=body.answer, actor=edge.actor, now=edge.now
    )
    return consultation_view(answered)
