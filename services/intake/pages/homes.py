"""Finding a home by its phone, else by its room, with its last jobs and its open ones [R13-R15].

What is looked for stands in no address of a page: those are written down on the way [D26].
"""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from services.intake.api.homes import FindHomes, find_homes
from services.intake.pages.see import see, with_trades
from services.intake.queries.homes import HomeView, homes
from shared.phone import phone_digits
from shared.ui.forms import Form
from shared.ui.views import View

pages = APIRouter()

ENOUGH_DIGITS, ENOUGH_LETTERS = 7, 3
"""From how much of a number or a room on a home is looked for while somebody writes."""


def _page(view: View, form: Form[FindHomes], found: list[HomeView] | None = None) -> Response:
    return view.show("homes.html", form=form, found=found)


@pages.get("/homes")
def look(view: Annotated[View, see("read_requests")]) -> Response:
    return _page(with_trades(view), Form(FindHomes))


@pages.post("/homes")
def find(view: Annotated[View, see("find_home")]) -> Response:
    with_trades(view)
    form = Form(FindHomes)
    return view.answer(
        form,
        lambda body: find_homes(body, view),
        show=lambda found: _page(view, form, found),
        again=lambda again: _page(view, again),
    )


@pages.post("/homes/part")
def find_while_writing(view: Annotated[View, see("find_home")]) -> Response:
    """A part of the board: the homes that fit what was written of phone and room so far."""
    with_trades(view)
    written: dict[str, Any] = {name: str(view.posted.get(name, "")).strip() for name in ("phone", "address")}
    phone = written["phone"] if len(phone_digits(written["phone"])) >= ENOUGH_DIGITS else ""
    room = written["address"] if len(written["address"]) >= ENOUGH_LETTERS else ""
    found = homes(view.session, view.actor, phone=phone[:40], room=room[:200]) if phone or room else []
    return view.show("homes_part.html", found=found[:3])
