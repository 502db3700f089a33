"""Questions put to departments [R19, R23]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.intake.actions import consultation
from services.intake.api.may import may
from services.intake.queries.consultations import ConsultationView, consultation_view, consultations
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Moment, Words

routes = APIRouter(tags=["consultations"])


class AskConsultation(Body):
    """A question to the request's department, and when the owner gets his reply [R19, R23]."""

    question: Words
    reply_due_at: Moment
    owner_was_told: bool = Field(description="the owner was reached and promised the reply at that time")


@routes.post("/requests/{request_id}/consultations", status_code=201, summary="Ask the department [R19, R23]")
def ask_consultation(
    request_id: UUID, body: AskConsultation, edge: Annotated[Edge, may("ask_consultation")]
) -> ConsultationView:
    def act() -> ConsultationView:
        asked = consultation.ask(
            edge.session,
            request_id=request_id,
            question=body.question,
            reply_due_at=body.reply_due_at,
            owner_was_told=body.owner_was_told,
            actor=edge.actor,
            now=edge.now,
        )
        return consultation_view(asked)

    return edge.once(body, act)


@routes.get("/consultations", summary="Questions put to departments")
def list_consultations(
    edge: Annotated[Edge, may("read_requests")], after: After = None, limit: Limit = 100
) -> Page[ConsultationView]:
    return consultations(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/consultations/{consultation_id}/reply", summary="The owner was given the answer [R23]")
def reply_consultation(consultation_id: UUID, edge: Annotated[Edge, may("reply_consultation")]) -> ConsultationView:
    replied = consultation.reply(edge.session, consultation_id=consultation_id, actor=edge.actor, now=edge.now)
    return consultation_view(replied)
