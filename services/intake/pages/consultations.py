"""Questions put to departments, and the replies owners were promised [R19, R23]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.consultations import reply_consultation
from services.intake.pages.see import see
from services.intake.queries.consultations import consultations_waiting
from shared.ui.forms import Form
from shared.ui.views import View

pages = APIRouter()

SHOWN = 200


def _page(view: View, wrong: Form[Any] | None = None) -> Response:
    everything = view.asked("show") == "all"
    found = consultations_waiting(
        view.session, view.actor, waiting=not everything, site_id=view.asked_site(), limit=SHOWN
    )
    return view.show("consultations.html", found=found, wrong=wrong, live="intake")


@pages.get("/consultations")
def list_consultations(view: Annotated[View, see("read_requests")]) -> Response:
    return _page(view)


@pages.post("/consultations/{consultation_id}/reply")
def reply(consultation_id: UUID, view: Annotated[View, see("reply_consultation")]) -> Response:
    return view.press(
        lambda: reply_consultation(consultation_id, view),
        then=lambda done: f"/intake/requests/{done.request_id}",
        again=lambda form: _page(view, form),
        said="已记下：业主已得到答复。可继续约定时间和费用",
    )
