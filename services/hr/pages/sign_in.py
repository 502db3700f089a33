"""Signing in and out, where one begins, and the language one reads."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from services.hr.actions import login
from services.hr.api.demo import BeSomebody, OfSimulations
from services.hr.api.demo import sign_in_as as be_somebody
from services.hr.api.proof import SignInBody
from services.hr.api.sessions import begin_session, sign_out
from services.hr.pages.see import see
from services.hr.pages.words import WORDS
from services.hr.queries.demo import demo_people
from services.hr.rules.demo import DemoPerson
from shared import clock
from shared.csrf import check_same_origin
from shared.errors import Problem
from shared.sessions import Claims, claims_in, cookie_name, identify_session, is_plain, set_cookie
from shared.settings import settings
from shared.ui.forms import Form, Sentence
from shared.ui.language import LANGUAGES, remember
from shared.ui.menu import menu_of
from shared.ui.public import own_path, show_public
from shared.ui.views import Posted, View
from shared.web import transaction

pages = APIRouter()

demos = APIRouter(route_class=OfSimulations)
"""Not there but in a simulation."""


@pages.get("/")
def begin(view: Annotated[View, see("read_own")]) -> Response:
    """The first page of his menu."""
    return view.go(menu_of(view.actor.role)[0].path)


@pages.get("/menu")
def show_menu(view: Annotated[View, see("read_own")]) -> Response:
    """Every page he may open: a phone's foot has room for a few."""
    return view.show("menu.html")


async def _login_page(request: Request, form: Form[SignInBody], *, going: str, status: int = 200) -> Response:
    def demo_of(session: Session) -> list[DemoPerson]:
        return demo_people(session) if clock.is_simulated(session) else []

    people = await transaction("hr", request, demo_of)
    facts = {"form": form, "going": going, "people": people, "providers": sorted(settings().sign_on)}
    return show_public(request, "hr", WORDS, "login.html", status=status, **facts)


@pages.get("/login")
async def ask_to_sign_in(request: Request) -> Response:
    return await _login_page(request, Form(SignInBody), going=own_path(request.query_params.get("next")))


@pages.post("/login")
async def sign_in(request: Request, posted: Posted) -> Response:
    check_same_origin(request)
    form, going = Form(SignInBody), own_path(str(posted.get("next", "")))
    body = form.read(posted)
    if body is None:
        return await _login_page(request, form, going=going, status=422)
    try:
        claims = await begin_session(body, request)
    except Problem as problem:
        form.errors = {"": Sentence(WORDS.problem(problem.code, problem.detail), {})}
        return await _login_page(request, form, going=going, status=problem.status)
    answer = RedirectResponse(going, 303)
    set_cookie(request, answer, claims)
    spoken = await transaction("hr", request, lambda session: login.spoken_by(session, claims.person_id))
    if spoken is not None:
        remember(answer, spoken, secure=not is_plain(request))
    return answer


@demos.post("/demo/sessions")
async def sign_in_as(request: Request, posted: Posted) -> Response:
    check_same_origin(request)
    body = Form(BeSomebody).read(posted)
    answer = RedirectResponse(own_path(str(posted.get("next", ""))), 303)
    if body is None:
        return RedirectResponse("/hr/login", 303)
    await be_somebody(body, request, answer)
    return answer


@pages.post("/logout")
def leave(view: Annotated[View, see("manage_sessions")]) -> Response:
    answer = RedirectResponse("/hr/login", 303)
    sign_out(view, view.request, answer)
    return answer


@pages.post("/language")
async def choose_language(request: Request, posted: Posted) -> Response:
    """Kept by the browser, and with the login of who has signed in; nobody need have."""
    check_same_origin(request)
    answer = RedirectResponse(own_path(str(posted.get("next", ""))), 303)
    wanted = str(posted.get("language", ""))
    if wanted in LANGUAGES:
        remember(answer, wanted, secure=not is_plain(request))
        claims = claims_in(request.cookies.get(cookie_name(request), ""))
        if claims is not None:
            await transaction("hr", request, lambda session: _keep(session, claims, wanted))
    return answer


def _keep(session: Session, claims: Claims, wanted: str) -> None:
    if identify_session(session, claims, said="{}") is not None:
        login.speak(session, claims.person_id, wanted)
