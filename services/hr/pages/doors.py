"""What somebody does by a secret or his password alone: accept an invitation, change it, enrol a second factor.

The functions behind the API's routes do it, in transactions of their own. Nobody need have signed in: whoever needs a
second factor before he may sign in could not enrol it else.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import segno
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.hr.api.logins import (
    AcceptInvitation,
    ChangePassword,
    ConfirmFactor,
    accept_invitation,
    change_password,
    confirm_factor,
    enrol_factor,
)
from services.hr.api.proof import SignInBody
from services.hr.pages.words import WORDS
from shared.csrf import check_same_origin
from shared.errors import Problem
from shared.ui.forms import Form, Sentence
from shared.ui.public import show_public
from shared.ui.views import Posted

pages = APIRouter()

B = TypeVar("B", bound=BaseModel)
R = TypeVar("R")


def _login(request: Request) -> dict[str, str]:
    return {"login": (request.query_params.get("login") or "")[:50]}


async def try_form(
    request: Request,
    form: Form[B],
    posted: Posted,
    act: Callable[[B], Awaitable[R]],
    *,
    show: Callable[[R], Response],
    again: Callable[[int], Response],
) -> Response:
    """Do what a form of nobody's asks, and show what came of it; else the form again, with what is wrong.

    Raises CrossSite.
    """
    check_same_origin(request)
    body = form.read(posted)
    if body is None:
        return again(422)
    try:
        done = await act(body)
    except Problem as problem:
        form.errors = {
            "": Sentence(WORDS.problem(problem.code, problem.detail.replace("{", "{{").replace("}", "}}")), {})
        }
        return again(problem.status)
    return show(done)


def _page(request: Request, template: str, status: int = 200, **facts: Any) -> Response:
    return show_public(request, "hr", WORDS, template, status=status, **facts)


@pages.get("/invitation")
def ask_for_password(request: Request) -> Response:
    return _page(request, "invitation.html", form=Form(AcceptInvitation), made=None)


@pages.post("/invitation")
async def accept(request: Request, posted: Posted) -> Response:
    form = Form(AcceptInvitation)
    return await try_form(
        request,
        form,
        posted,
        lambda body: accept_invitation(body, request),
        show=lambda made: _page(request, "invitation.html", form=form, made=made),
        again=lambda status: _page(request, "invitation.html", status, form=form, made=None),
    )


@pages.get("/password")
def ask_for_another_password(request: Request) -> Response:
    return _page(request, "password.html", form=Form(ChangePassword, shown=_login(request)), done=False)


@pages.post("/password")
async def change(request: Request, posted: Posted) -> Response:
    form = Form(ChangePassword)
    return await try_form(
        request,
        form,
        posted,
        lambda body: change_password(body, request),
        show=lambda _: _page(request, "password.html", form=form, done=True),
        again=lambda status: _page(request, "password.html", status, form=form, done=False),
    )


def _factor(request: Request, status: int = 200, **facts: Any) -> Response:
    known = {"form": Form(SignInBody, shown=_login(request)), "confirm": Form(ConfirmFactor), "uri": "", "secret": ""}
    return _page(
        request, "second_factor.html", status, **(known | {"codes": [], "picture": "", "asked_again": False} | facts)
    )


@pages.get("/second-factor")
def ask_to_enrol(request: Request) -> Response:
    return _factor(request)


@pages.post("/second-factor")
async def enrol(request: Request, posted: Posted) -> Response:
    form = Form(SignInBody)

    def show(made: Any) -> Response:
        picture = segno.make(made.uri, error="m").svg_data_uri(scale=5, border=2)
        confirm = Form(ConfirmFactor, shown={"login": form.value("login")}, id="c")
        return _factor(request, secret=made.secret, picture=picture, confirm=confirm)

    return await try_form(
        request,
        form,
        posted,
        lambda body: enrol_factor(body, request),
        show=show,
        again=lambda status: _factor(request, status, form=form),
    )


@pages.post("/second-factor/confirm")
async def confirm(request: Request, posted: Posted) -> Response:
    form = Form(ConfirmFactor, id="c")
    return await try_form(
        request,
        form,
        posted,
        lambda body: confirm_factor(body, request),
        show=lambda made: _factor(request, codes=made.codes),
        again=lambda status: _factor(request, status, confirm=form, asked_again=True),
    )
