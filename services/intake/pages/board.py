"""The callback board 接单台: who waits for a call, and the registration while one talks [R13-R21, R48]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.requests import RegisterRequest, register_request
from services.intake.pages.see import see, with_trades
from services.intake.queries.callbacks import callbacks, kept_today
from services.intake.queries.people import heads_of
from services.intake.queries.prices import book_of, version_in_force
from services.intake.queries.trades import trades
from services.intake.rules.request import Channel
from shared.ui.forms import Form
from shared.ui.views import View

pages = APIRouter()

ROWS = 1
"""Stretches of time that suit the owner asked for at first; more come with the request."""


def _form(view: View) -> Form[RegisterRequest]:
    site_id = view.asked_site() or next(iter(view.sites), None)
    catalogue = trades(view.session, view.actor, site_id=site_id, now=view.now) if site_id else []
    return Form(
        RegisterRequest,
        choices={
            "site_id": view.choose_sites(),
            "channel": [(str(one), f"channel.{one}") for one in Channel],
            "trade": [(one.code, one.code if one.department else f"refused.{one.code}") for one in catalogue],
        },
        fixed={"site_id": str(site_id)} if len(view.sites) == 1 else {},
        shown={"channel": "phone", "site_id": str(site_id or "")},
        rows=ROWS,
        zone=view.zone(site_id),
    )


def _board(view: View, form: Form[RegisterRequest]) -> Response:
    waiting = sorted(callbacks(view.session, view.actor), key=lambda one: one.callback_due_at is not None)
    left = [(one.callback_due_at - view.now).total_seconds() for one in waiting if one.callback_due_at]
    return view.show(
        "board.html",
        waiting=waiting,
        late=sum(seconds < 0 for seconds in left),
        soon=sum(0 <= seconds <= 120 for seconds in left),
        at_desk=sum(one.callback_due_at is None for one in waiting),
        kept=kept_today(view.session, view.actor, now=view.now),
        form=form,
        live="intake",
    )


@pages.get("/board")
def board(view: Annotated[View, see("read_callbacks")]) -> Response:
    return _board(with_trades(view), _form(view))


@pages.post("/board")
def register(view: Annotated[View, see("register_request")]) -> Response:
    return view.submit(
        _form(with_trades(view)),
        lambda body: register_request(body, view),
        then=lambda made: f"/intake/requests/{made.id}",
        again=lambda form: _board(view, form),
        said="已登记",
    )


@pages.get("/board/trade")
def about_trade(view: Annotated[View, see("read_trades")]) -> Response:
    """A part of the board: what is said of the trade chosen while one talks: its prices, or why it is refused."""
    with_trades(view)
    site_id: UUID | None = view.asked_site() or next(iter(view.sites), None)
    catalogue = trades(view.session, view.actor, site_id=site_id, now=view.now) if site_id else []
    chosen = next((one for one in catalogue if one.code == view.asked("trade")), None)
    book = []
    if chosen and chosen.department:
        book = book_of(view.session, version_in_force(view.session, view.today(site_id)), chosen.code)
    at_desk = view.asked("channel") == Channel.WALK_IN
    heads = heads_of(view.session, site_id) if site_id and at_desk else {}
    return view.show("board_trade.html", chosen=chosen, book=book, at_desk=at_desk, heads=heads)
