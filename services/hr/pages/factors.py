"""How people sign in, in administrators' hands: lost second factors, taken away by two, and links to providers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api.factor_resets import confirm_factor_reset, propose_factor_reset
from services.hr.api.sign_on import LinkPerson, UnlinkPerson, link_person, unlink_person
from services.hr.pages.see import see
from services.hr.queries.factor_resets import factor_resets
from services.hr.queries.logins import links_of
from services.hr.queries.posts import person_by_id
from shared.settings import settings
from shared.ui.forms import Form, Nothing
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

RESETS = [
    Column("person_id", "人员", "person"),
    Column("reason", "原因"),
    Column("proposed_by", "提出人", "person"),
    Column("proposed_at", "提出时间", "moment"),
    Column("confirmed_by", "确认人", "person"),
    Column("confirmed_at", "确认时间", "moment"),
]


def _resets(view: View, pressed: Form[Nothing] | None = None) -> Response:
    found = factor_resets(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    waiting = [one for one in found.items if one.confirmed_at is None]
    me = view.actor.person_id
    return view.show(
        "factor_resets.html",
        resets=Table(RESETS, found.items, found.next, "没有人丢失过动态验证码。", "factor-resets"),
        waiting=[one for one in waiting if me not in (one.person_id, one.proposed_by)],
        pressed=pressed or Form(Nothing),
    )


@pages.get("/factor-resets")
def list_resets(view: Annotated[View, see("read_factor_resets")]) -> Response:
    return _resets(view)


@pages.post("/factor-resets/{person_id}/confirm")
def confirm(person_id: UUID, view: Annotated[View, see("confirm_factor_reset")]) -> Response:
    return view.press(
        lambda: confirm_factor_reset(person_id, view),
        then="/hr/factor-resets",
        again=lambda form: _resets(view, form),
        said="已取消他的动态验证码，请他重新启用",
    )


def _signing_in(view: View, person_id: UUID, **wrong: Form[Any]) -> Response:
    issuers = sorted({provider.issuer for provider in settings().sign_on.values()})
    choices = {"issuer": [(issuer, issuer) for issuer in issuers]}
    links = links_of(view.session, view.actor, person_id)
    held = {"issuer": [(one.issuer, one.issuer) for one in links]}
    forms: dict[str, Form[Any]] = {
        "reset": Form(Reason, id="reset"),
        "link": Form(LinkPerson, choices=choices, id="link"),
        "unlink": Form(UnlinkPerson, choices=held, id="unlink"),
    }
    return view.show(
        "signing_in.html",
        one=person_by_id(view.session, view.actor, person_id),
        links=links,
        forms=forms | wrong,
        issuers=issuers,
    )


@pages.get("/people/{person_id}/sign-on")
def show_signing_in(person_id: UUID, view: Annotated[View, see("read_sign_ons")]) -> Response:
    return _signing_in(view, person_id)


@pages.post("/people/{person_id}/factor-reset")
def propose(person_id: UUID, view: Annotated[View, see("propose_factor_reset")]) -> Response:
    return view.submit(
        Form(Reason, id="reset"),
        lambda body: propose_factor_reset(person_id, body, view),
        then="/hr/factor-resets",
        again=lambda form: _signing_in(view, person_id, reset=form),
        said="已提出，须由另一人确认",
    )


@pages.post("/people/{person_id}/sign-on")
def link(person_id: UUID, view: Annotated[View, see("link_sign_on")]) -> Response:
    return view.submit(
        Form(LinkPerson, id="link"),
        lambda body: link_person(person_id, body, view),
        then=f"/hr/people/{person_id}/sign-on",
        again=lambda form: _signing_in(view, person_id, link=form),
        said="已关联，他会收到提醒",
    )


@pages.post("/people/{person_id}/sign-on/end")
def unlink(person_id: UUID, view: Annotated[View, see("link_sign_on")]) -> Response:
    return view.submit(
        Form(UnlinkPerson, id="unlink"),
        lambda body: unlink_person(person_id, body, view),
        then=f"/hr/people/{person_id}/sign-on",
        again=lambda form: _signing_in(view, person_id, unlink=form),
        said="已取消关联",
    )
