"""The desk's questions to the department, and its answers [R19, R23]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.dispatch.api import consultations as api
from services.dispatch.pages.see import see
from services.dispatch.queries.consultations import consultations
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

ANSWERED = [
    Column("answered_at", "答复时间", "moment"),
    Column("question", "问题"),
    Column("answer", "答复"),
    Column("answered_by", "答复人", "person"),
]


def _page(view: View, wrong: Form[api.Answer] | None = None, at: UUID | None = None) -> Response:
    waiting = consultations(view.session, view.actor, unanswered=True, after=None, limit=100).items
    answered = consultations(view.session, view.actor, unanswered=False, after=view.asked_id(), limit=view.rows)
    forms = {one.id: Form(api.Answer, id=f"a{number}") for number, one in enumerate(waiting)}
    if wrong is not None and at is not None:
        forms[at] = wrong
    return view.show(
        "consultations.html",
        waiting=sorted(waiting, key=lambda one: one.reply_due_at),
        table=Table(ANSWERED, answered.items, answered.next, "还没有答复过的问题。", "consultations"),
        forms=forms,
        at=at,
        live="dispatch",
    )


@pages.get("/consultations")
def asked(view: Annotated[View, see("read_consultations")]) -> Response:
    return _page(view)


@pages.post("/consultations/{consultation_id}/answer")
def answer(consultation_id: UUID, view: Annotated[View, see("answer_consultation")]) -> Response:
    return view.submit(
        Form(api.Answer),
        lambda body: api.answer_consultation(consultation_id, body, view),
        then="/dispatch/consultations",
        again=lambda form: _page(view, form, consultation_id),
        said="已答复客服",
    )
