"""A refusal, as a page for whoever came with a browser: what is wrong, and what he can do now."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.ui import language
from shared.ui.answer import page_answer
from shared.ui.render import UI, render
from shared.ui.words import Words

LOGIN = "/hr/login"
"""Where one signs in."""

STALE = "wrong_csrf_token"
"""The refusal of a form that was opened before its reader signed in anew."""

WORDS: dict[str, Words] = {}
"""Service -> the words of its pages."""


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, and not software."""
    return "text/html" in request.headers.get("accept", "")


def sign_in_first(request: Request) -> Response:
    """To the page where one signs in, and from there back to this one, or to that whose form was sent."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = path if request.method == "GET" else came_from(request)
    return RedirectResponse(LOGIN + (f"?next={quote(back)}" if back else ""), 303)


def came_from(request: Request) -> str:
    """The page of this host on which the request was made; empty where the browser does not say, or another's."""
    told = urlsplit(request.headers.get("referer", ""))
    if told.netloc != request.headers.get("host") or not told.path.startswith("/") or told.path.startswith("//"):
        return ""
    return told.path + (f"?{told.query}" if told.query else "")


def problem_page(request: Request, status: int, code: str, detail: str, *, trace: str = "") -> Response:
    """The page of a refusal."""
    spoken = language.chosen(request)
    service = getattr(request.app, "service", "")
    words = WORDS.get(service, Words())
    facts = {"status": status, "sentence": words.problem(code, detail), "detail": detail, "code": code, "trace": trace}
    facts["back"] = came_from(request) if code == STALE else ""
    page = render(f"services.{service}" if service in WORDS else UI, spoken, "problem.html", facts)
    return page_answer(request, page, status)
