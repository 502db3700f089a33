"""Pages for somebody who has not signed in: nothing of him is known, and nothing is shown that is anybody's."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from shared.ui import language
from shared.ui.answer import page_answer
from shared.ui.render import packages_of, render
from shared.ui.words import Words


def show_public(
    request: Request, service: str, words: Words, template: str, *, status: int = 200, **facts: Any
) -> HTMLResponse:
    """A page of a service for nobody in particular."""
    spoken = language.chosen(request)
    said = language.translations(spoken, *packages_of(f"services.{service}"))
    known = {
        "label": lambda name: said.gettext(words.label(str(name))),
        "path": f"/{service}{request.scope['route'].path}",
    }
    page = render(f"services.{service}", spoken, template, known | facts)
    return page_answer(request, page, status)


def own_path(wanted: str | None) -> str:
    """Where to go on to: a path of ours, and never another host's page."""
    plain = wanted or ""
    ours = plain.startswith("/") and not plain.startswith(("//", "/\\")) and plain.isprintable() and "\\" not in plain
    return plain if ours else "/hr/"
