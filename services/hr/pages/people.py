"""People: hired, moved, taught, paid a wage, invited to sign in, let go [R11, R12, R60, R79, R82, R94, D1]."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api import posts as posts_api
from services.hr.api.logins import InvitationSecret, InvitePerson, invite_person
from services.hr.api.posts import EmployPerson, MovePerson, RecordCertificate, RecordSkills
from services.hr.api.sessions import end_sessions_of
from services.hr.api.wages import SetWage
from services.hr.api.wages import set_wage as set_by_api
from services.hr.pages.see import see
from services.hr.queries.company import organisation
from services.hr.queries.logins import login_of
from services.hr.queries.posts import LookedPeople, find_people, person_by_id, posts
from services.hr.queries.wages import wages
from services.hr.rules.access import MAY
from shared import clock
from shared.access import Tie
from shared.messages import Department, Role
from shared.ui.forms import Choices, Form, Nothing
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("name", "姓名", link=lambda row: f"/hr/people/{row['id']}"),
    Column("role", "岗位", "word"),
    Column("department", "部门", "word"),
    Column("sites", "小区"),
    Column("shift", "班次"),
    Column("certificates", "证件到期"),
]


def _shift(one: Any) -> str:
    return f"{one.shift_start:%H:%M}–{one.shift_end:%H:%M}" if one.shift_start and one.shift_end else ""


def sites_of(view: View, one: Any) -> str:
    """Where somebody works, by the sites the reader sees."""
    names = [view.sites[site_id].name for site_id in one.site_ids if site_id in view.sites]
    return view.say("全公司") if one.all_sites else "、".join(names)


def _row(view: View, one: Any) -> dict[str, Any]:
    ends = sorted(f"{held.valid_until}" for held in one.certificates)
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "department": one.department,
        "sites": sites_of(view, one),
        "shift": _shift(one) or None,
        "certificates": ends[0] if ends else None,
    }


def _choices(view: View) -> dict[str, Choices]:
    roles = [role for role in get_args(Role) if role != "administrator" or view.actor.role == "administrator"]
    return {
        "role": [(role, role) for role in roles],
        "department": [(one, one) for one in get_args(Department)],
        "site_ids": view.choose_sites(),
    }


def _list(view: View, form: Form[EmployPerson]) -> Response:
    looked = LookedPeople(
        site_id=view.asked_site(),
        department=view.asked("department"),
        role=view.asked("role"),
        words=(view.asked("q") or "").strip()[:100],
        left=view.asked("left") is not None,
    )
    found = find_people(view.session, view.actor, looked=looked, after=view.asked_id(), limit=view.rows)
    rows = [_row(view, one) for one in found.items]
    choices = _choices(view)
    table = Table(COLUMNS, rows, found.next, "没有符合条件的人员。", "people")
    return view.show("people.html", people=table, form=form, choices=choices, branches=None)


@pages.get("/people")
def list_people(view: Annotated[View, see("read_people")]) -> Response:
    return _list(view, Form(EmployPerson, choices=_choices(view)))


@pages.get("/organisation")
def show_organisation(view: Annotated[View, see("read_people")]) -> Response:
    return view.show("organisation.html", branches=organisation(view.session, view.actor))


@pages.post("/people")
def employ(view: Annotated[View, see("employ_person")]) -> Response:
    return view.submit(
        Form(EmployPerson, choices=_choices(view)),
        lambda body: posts_api.employ_person(body, view),
        then=lambda made: f"/hr/people/{made.id}",
        again=lambda form: _list(view, form),
        said="已入职；请邀请他登录",
    )


def _show(
    view: View,
    person_id: UUID,
    *,
    invitation: InvitationSecret | None = None,
    token: str = "",
    wrong: Mapping[str, Form[Any]] | None = None,
) -> Response:
    one = person_by_id(view.session, view.actor, person_id)
    himself = one.id == view.actor.person_id
    reached = view.actor.site_ids is None or (not one.all_sites and view.actor.site_ids.issuperset(one.site_ids))
    rank = one.role != "administrator" or view.actor.role == "administrator"
    # what the action would refuse this person for is not offered
    can = {
        action: view.may(action)
        and one.active
        and reached
        and rank
        and not (himself and Tie.SUBJECT in MAY[action].never)
        for action in ("move_person", "record_skills", "set_wage", "let_leave", "invite_person", "end_sessions")
    }
    can["issue_token"] = view.may("issue_token") and one.active and (himself or clock.is_simulated(view.session))
    post = {
        "role": one.role,
        "department": one.department,
        "all_sites": "true" if one.all_sites else "",
        "shift_start": f"{one.shift_start:%H:%M}" if one.shift_start else "",
        "shift_end": f"{one.shift_end:%H:%M}" if one.shift_end else "",
    }
    login = login_of(view.session, person_id, now=view.now) if view.may("invite_person") else None
    moving = Form(MovePerson, choices=_choices(view), shown=post, id="move")
    forms: dict[str, Form[Any]] = {
        "move": moving,
        "skills": Form(RecordSkills, shown={"skills": "\n".join(one.skills or [])}, id="skills"),
        "certificate": Form(RecordCertificate, id="certificate"),
        "wage": Form(SetWage, id="wage"),
        "invite": Form(InvitePerson, shown={"login": (login.login or "") if login else ""}, id="invite"),
        "pressed": Form(Nothing),
    }
    return view.show(
        "person.html",
        one=one,
        can=can,
        forms=forms | dict(wrong or {}),
        works_at=sites_of(view, one),
        held_sites={str(site_id) for site_id in one.site_ids},
        posts=posts(view.session, view.actor, person_id) if view.may("read_posts") else [],
        wages=wages(view.session, view.actor, person_id) if view.may("read_wages") else [],
        login=login,
        invitation=invitation,
        token=token,
        shift=_shift(one),
        today=view.today(),
    )


@pages.get("/people/{person_id}")
def show_person(person_id: UUID, view: Annotated[View, see("read_people")]) -> Response:
    return _show(view, person_id)


def _done(view: View, person_id: UUID, form: Form[Any], act: Any, said: str, *, name: str = "pressed") -> Response:
    return view.submit(
        form,
        act,
        then=f"/hr/people/{person_id}",
        again=lambda form: _show(view, person_id, wrong={name: form}),
        said=said,
    )


@pages.post("/people/{person_id}/move")
def move(person_id: UUID, view: Annotated[View, see("move_person")]) -> Response:
    form = Form(MovePerson, choices=_choices(view), id="move")
    return _done(
        view, person_id, form, lambda body: posts_api.move_person(person_id, body, view), "已调岗", name="move"
    )


@pages.post("/people/{person_id}/skills")
def skills(person_id: UUID, view: Annotated[View, see("record_skills")]) -> Response:
    form = Form(RecordSkills, id="skills")
    return _done(
        view, person_id, form, lambda body: posts_api.record_skills(person_id, body, view), "已登记技能", name="skills"
    )


@pages.post("/people/{person_id}/certificates")
def certificate(person_id: UUID, view: Annotated[View, see("record_skills")]) -> Response:
    form = Form(RecordCertificate, id="certificate")
    return _done(
        view,
        person_id,
        form,
        lambda body: posts_api.record_certificate(person_id, body, view),
        "已登记证件",
        name="certificate",
    )


@pages.post("/people/{person_id}/wage")
def wage(person_id: UUID, view: Annotated[View, see("set_wage")]) -> Response:
    form = Form(SetWage, id="wage")
    return _done(view, person_id, form, lambda body: set_by_api(person_id, body, view), "已登记工资", name="wage")


@pages.post("/people/{person_id}/leave")
def leave(person_id: UUID, view: Annotated[View, see("let_leave")]) -> Response:
    form = Form(Nothing)
    return _done(view, person_id, form, lambda _: posts_api.let_leave(person_id, view), "已离职，登录已失效")


@pages.post("/people/{person_id}/sessions/end")
def end_sessions(person_id: UUID, view: Annotated[View, see("end_sessions")]) -> Response:
    form = Form(Nothing)
    return _done(view, person_id, form, lambda _: end_sessions_of(person_id, view), "已让他在所有设备退出")


@pages.post("/people/{person_id}/invitation")
def invite(person_id: UUID, view: Annotated[View, see("invite_person")]) -> Response:
    return view.answer(
        Form(InvitePerson, id="invite"),
        lambda body: invite_person(person_id, body, view),
        show=lambda made: _show(view, person_id, invitation=made),
        again=lambda form: _show(view, person_id, wrong={"invite": form}),
    )


@pages.post("/people/{person_id}/token")
def issue_token(person_id: UUID, view: Annotated[View, see("issue_token")]) -> Response:
    return view.answer(
        Form(Nothing),
        lambda _: posts_api.issue_token(person_id, view),
        show=lambda made: _show(view, person_id, token=made.token),
        again=lambda form: _show(view, person_id, wrong={"pressed": form}),
    )
