"""Answers the desk has ready for questions asked often 常见问题 [R22]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.intake.actions import answer
from services.intake.api.may import may
from services.intake.api.prices import Asked
from services.intake.queries.answers import AnswerView, answer_view, answers
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Short, Words

routes = APIRouter(tags=["answers"])


class GiveAnswer(Body):
    """A question asked often, its answer, and the trade it is about [R22]."""

    site_id: UUID | None = Field(description="null: at every site of the company")
    question: Words
    answer: Words
    trade: Short | None = None


@routes.get("/answers", summary="Answers to questions asked often [R22]")
def list_answers(
    edge: Annotated[Edge, may("read_prices")], q: Asked = "", after: After = None, limit: Limit = 100
) -> Page[AnswerView]:
    return answers(edge.session, edge.actor, q=q.strip(), after=after, limit=limit)


@routes.post("/answers", status_code=201, summary="Have an answer ready for a question asked often [R22]")
def give_answer(body: GiveAnswer, edge: Annotated[Edge, may("give_answer")]) -> AnswerView:
    def act() -> AnswerView:
        made = answer.give(edge.session, **body.model_dump(), actor=edge.actor, now=edge.now)
        return answer_view(made)

    return edge.once(body, act)


@routes.post("/answers/{answer_id}/retire", summary="The answer no longer holds [R22]")
def retire_answer(answer_id: UUID, edge: Annotated[Edge, may("retire_answer")]) -> AnswerView:
    def act() -> AnswerView:
        return answer_view(answer.retire(edge.session, answer_id=answer_id, actor=edge.actor, now=edge.now))

    return edge.once(None, act)
