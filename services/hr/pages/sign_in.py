"""Signing in and out, where one begins, and the language one reads."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.hr.api.proof import SignInBody
from services.hr.api.sessions import begin_session, sign_out
from services.hr.pages.see import see
from services.hr.pages.words import WORDS
from shared.csrf import check_same_origin
from shared.errors import Problem
from shared.sessions import cookie_name, set_cookie
from shared.ui.forms import Form, Sentence
from shared.ui.language import COOKIE, LANGUAGES
from shared.ui.menu import menu_of
from shared.ui.public import own_path, show_public
from shared.ui.views import Posted, View

pages = APIRouter()

YEAR = 365 * 24 * 3600


@pages.get("/")
def begin(view: Annotated[View, see("read_own")]) -> Response:
    """The first page of his menu."""
    return view.go(menu_of(view.actor.role)[0].path)


def _login_page(request: Request, form: Form[SignInBody], *, going: str, status: int = 200) -> Response:
    return show_public(request, "hr", WORDS, "login.html", status=status, form=form, going=going)


@pages.get("/login")
def ask_to_sign_in(request: Request) -> Response:
    return _login_page(request, Form(SignInBody), going=own_path(request.query_params.get("next")))


@pages.post("/login")
async def sign_in(request: Request, posted: Posted) -> Response:
    check_same_origin(request)
    form, going = Form(SignInBody), own_path(str(posted.get("next", "")))
    body = form.read(posted)
    if body is None:
        return _login_page(request, form, going=going, status=422)
    try:
        claims = await begin_session(body, request)
    except Problem as problem:
        form.errors = {"": Sentence(WORDS.problem(problem.code, problem.detail), {})}
        return _login_page(request, form, going=going, status=problem.status)
    answer = RedirectResponse(going, 303)
    set_cookie(request, answer, claims)
    return answer


@pages.post("/logout")
def leave(view: Annotated[View, see("manage_sessions")]) -> Response:
    answer = RedirectResponse("/hr/login", 303)
    sign_out(view, view.request, answer)
    return answer


@pages.post("/language")
def choose_language(request: Request, posted: Posted) -> Response:
    """Kept by the browser; nothing of anybody is changed, so nobody need have signed in."""
    check_same_origin(request)
    answer = RedirectResponse(own_path(str(posted.get("next", ""))), 303)
    wanted = str(posted.get("language", ""))
    if wanted in LANGUAGES:
        secure = cookie_name(request).startswith("__Host-")
        answer.set_cookie(COOKIE, wanted, max_age=YEAR, path="/", httponly=True, samesite="lax", secure=secure)
    return answer
