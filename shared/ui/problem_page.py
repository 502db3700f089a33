"""A refusal, as a page for whoever came with a browser: what is wrong, and what he can do now."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.ui import language
from shared.ui.answer import page_answer
from shared.ui.render import UI, render
from shared.ui.words import Words

LOGIN = "/hr/login"
"""Where one signs in."""

WORDS = Words()


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, and not software."""
    return "text/html" in request.headers.get("accept", "")


def sign_in_first(request: Request) -> Response:
    """To the page where one signs in, and from there back to this one where that is safe."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(path)}" if request.method == "GET" else ""
    return RedirectResponse(LOGIN + back, 303)


def problem_page(request: Request, status: int, code: str, detail: str, *, trace: str = "") -> Response:
    """The page of a refusal."""
    spoken = language.chosen(request)
    facts = {"status": status, "sentence": WORDS.problem(code, detail), "detail": detail, "code": code, "trace": trace}
    page = render(UI, spoken, "problem.html", facts)
    return page_answer(request, page, status)
