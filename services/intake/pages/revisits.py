"""Calls after the work 回访: the list of those due, and what the owner said [R37-R39, D4, D25]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.revisits import RecordRevisit, close_unreachable, record_revisit
from services.intake.pages.see import see, with_trades
from services.intake.queries.requests import RequestView, request_by_id
from services.intake.queries.revisits import revisits_due
from services.intake.rules.request import REQUEST, RequestState, RequestStep
from shared.ui.forms import Form
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

MARKS = [("5", "5 分 很满意"), ("4", "4 分 满意"), ("3", "3 分 一般"), ("2", "2 分 不满意"), ("1", "1 分 很差")]
YES_NO = [("true", "是"), ("false", "否")]
OUTCOMES = ("satisfied", "problem", "not_reached")


@pages.get("/revisits")
def list_revisits(view: Annotated[View, see("read_requests")]) -> Response:
    with_trades(view)
    unreachable = view.asked("show") == "unreachable"
    found = revisits_due(view.session, view.actor, unreachable=unreachable, after=view.asked_id(), limit=view.rows)
    return view.show("revisits.html", found=found, unreachable=unreachable, live="intake")


def _form(view: View, outcome: str, one: RequestView) -> Form[RecordRevisit]:
    """What is asked for one outcome; each has a form of its own."""
    return Form(
        RecordRevisit,
        choices={"quality": MARKS, "attitude": MARKS, "price_as_agreed": YES_NO},
        fixed={"outcome": outcome},
        needed=("visit_from", "visit_to") if outcome == "problem" else (),
        zone=view.zone(one.site_id),
        id=outcome,
    )


def _page(view: View, request_id: UUID, **again: Form[Any]) -> Response:
    with_trades(view)
    one = request_by_id(view.session, view.actor, request_id)
    forms: dict[str, Form[Any]] = {outcome: _form(view, outcome, one) for outcome in OUTCOMES}
    forms |= {"close": Form(Reason, id="close")}
    return view.show(
        "revisit.html",
        one=one,
        open=next((revisit for revisit in one.revisits if revisit.done_at is None), None),
        can=REQUEST.allows(RequestState(one.state), RequestStep.SATISFY),
        forms=forms | again,
    )


@pages.get("/requests/{request_id}/revisit")
def read_revisit(request_id: UUID, view: Annotated[View, see("read_requests")]) -> Response:
    return _page(view, request_id)


@pages.post("/requests/{request_id}/revisit")
def record(request_id: UUID, view: Annotated[View, see("record_revisit")]) -> Response:
    one = request_by_id(view.session, view.actor, request_id)
    said = str(view.posted.get("outcome", ""))
    outcome = said if said in OUTCOMES else "satisfied"
    return view.submit(
        _form(view, outcome, one),
        lambda body: record_revisit(request_id, body, view),
        then="/intake/revisits",
        again=lambda form: _page(view, request_id, **{outcome: form}),
        said={"satisfied": "业主满意，已结束", "problem": "已通知部门免费返修", "not_reached": "已记下未接通"}[outcome],
    )


@pages.post("/requests/{request_id}/close-unreachable")
def close(request_id: UUID, view: Annotated[View, see("close_unreachable")]) -> Response:
    return view.submit(
        Form(Reason, id="close"),
        lambda body: close_unreachable(request_id, body, view),
        then="/intake/revisits?show=unreachable",
        again=lambda form: _page(view, request_id, close=form),
        said="已结束：联系不上，不计为满意",
    )
