"""The callback board 接单台: who waits for a call, and the registration while one talks [R13-R21, R48]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.intake.api.requests import RegisterRequest, register_request
from services.intake.pages.see import see
from services.intake.queries.callbacks import callbacks
from services.intake.queries.trades import trades
from shared.ui.forms import Form
from shared.ui.views import View

pages = APIRouter()


def _form(view: View) -> Form[RegisterRequest]:
    site_id = view.asked_site() or next(iter(view.sites))
    catalogue = trades(view.session, view.actor, site_id=site_id, now=view.now)
    return Form(
        RegisterRequest,
        choices={"site_id": view.choose_sites(), "trade": [(one.code, one.name) for one in catalogue]},
        shown={"channel": "phone", "site_id": str(site_id)},
        rows=1,
        zone=view.zone(site_id),
    )


def _board(view: View, form: Form[RegisterRequest]) -> Response:
    waiting = callbacks(view.session, view.actor)
    late = [one for one in waiting if one.callback_due_at and one.callback_due_at < view.now]
    return view.show("board.html", waiting=waiting, late=len(late), form=form, live="intake")


@pages.get("/board")
def board(view: Annotated[View, see("read_callbacks")]) -> Response:
    return _board(view, _form(view))


@pages.post("/board")
def register(view: Annotated[View, see("register_request")]) -> Response:
    return view.submit(
        _form(view),
        lambda body: register_request(body, view),
        then=lambda made: f"/intake/requests/{made.id}",
        again=lambda form: _board(view, form),
        said="已登记，开始计时",
    )
