"""Discipline cases 违规案件: opened, heard, decided, appealed against, final; with the rung of the ladder [R78-R88]."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api.appeals import DecideAppeal, accept_case, appeal_case, decide_appeal
from services.hr.api.cases import AddEvidence, DecideCase, HearCase, OpenCase, add_evidence, decide_case, hear_case
from services.hr.api.cases import open_case as open_by_api
from services.hr.pages.see import colleagues, see
from services.hr.queries.cases import (
    CaseView,
    LookedCases,
    case_by_id,
    cases,
    opened_cases,
    own_case,
    own_cases,
    waiting_cases,
)
from services.hr.queries.ladders import standings
from services.hr.queries.overrides import overrides
from services.hr.rules.access import MAY
from services.hr.rules.case import CASE, CaseState, CaseStep
from services.hr.rules.ladder import Offence
from shared.access import Own, check_four_eyes
from shared.errors import RuleBroken
from shared.ui.forms import Choices, Form
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

SHOWN = 50
OVERRIDES = 100
"""Overrides offered to a case of neglect."""

TONES = {
    CaseState.OPEN: "warn",
    CaseState.HEARD: "warn",
    CaseState.DECIDED: "info",
    CaseState.APPEALED: "warn",
    CaseState.FINAL: "bad",
    CaseState.DISMISSED: "calm",
    CaseState.LIFTED: "calm",
}
"""State -> the colour of its badge."""

DONE = {CaseState.OPEN: 1, CaseState.HEARD: 2, CaseState.DECIDED: 3, CaseState.APPEALED: 3, CaseState.FINAL: 5}
"""State -> how many of the steps 立案、申辩、决定、申诉、生效 are behind it."""

COLUMNS = [
    Column("number", "案号", link=lambda row: f"/hr/cases/{row.id}"),
    Column("state", "状态", "badge", tone=lambda row: TONES[CaseState(row.state)]),
    Column("offence", "违规", "word"),
    Column("person_name", "当事人"),
    Column("site_id", "小区", "site"),
    Column("happened_at", "发生时间", "moment"),
    Column("amount_fen", "涉及现金", "money"),
    Column("step", "处理", "word"),
    Column("fine_fen", "罚款", "money"),
    Column("points", "扣分", "number"),
    Column("appeal_due_at", "申诉期限", "moment"),
]

YES_NO: Choices = (("true", "是"), ("false", "否"))


def _words_of(states: type[Any]) -> list[tuple[str, str]]:
    return [(str(one), str(one)) for one in states]


# --- the list, and the page of one ------------------------------------------------------------------------------


@pages.get("/cases")
def list_cases(view: Annotated[View, see("read_cases")]) -> Response:
    state, offence = view.asked("state"), view.asked("offence")
    looked = LookedCases(
        state=CaseState(state) if state in tuple(CaseState) else None,
        offence=Offence(offence) if offence in tuple(Offence) else None,
        site_id=view.asked_site(),
        person_id=view.asked_id("person"),
    )
    found = cases(view.session, view.actor, looked=looked, newest=True, after=view.asked_id(), limit=view.rows)
    table = Table(COLUMNS, found.items, found.next, "没有符合条件的案件。", "cases")
    states, offences = _words_of(CaseState), _words_of(Offence)
    return view.show("cases.html", cases=table, states=states, offences=offences, live="hr")


def _forms() -> dict[str, Form[Any]]:
    return {
        "add": Form(AddEvidence, id="add"),
        "hear": Form(HearCase, choices={"attended": YES_NO}, shown={"attended": "true"}, id="hear"),
        "decide": Form(DecideCase, choices={"confirm": YES_NO}, id="decide"),
        "appeal": Form(Reason, id="appeal"),
        "decide_appeal": Form(DecideAppeal, choices={"uphold": YES_NO}, id="uphold"),
        "accept": Form(Reason, id="accept"),
    }


def _may(view: View, action: str, one: CaseView, step: CaseStep) -> bool:
    """Whether this person may take the step now: his role, his reach, the state, and nothing that ties him to it."""
    permission = MAY[action]
    if view.actor.role not in permission.own or not CASE.allows(CaseState(one.state), step):
        return False
    if permission.of(view.actor) is Own.HIMSELF and one.person_id != view.actor.person_id:
        return False
    ties = {"opener": one.opened_by, "subject": one.person_id, "decider": one.decided_by}
    try:
        check_four_eyes(permission, view.actor, **{str(tie): ties[str(tie)] for tie in permission.never})
    except RuleBroken:
        return False
    return True


STEPS = {
    "add": ("add_evidence", CaseStep.ADD_EVIDENCE),
    "hear": ("hear_case", CaseStep.HEAR),
    "decide": ("decide_case", CaseStep.CONFIRM),
    "accept": ("accept_case", CaseStep.ACCEPT),
    "appeal": ("appeal_case", CaseStep.APPEAL),
    "decide_appeal": ("decide_appeal", CaseStep.UPHOLD),
}
"""What can be done on the page -> the action and the step."""


def _can(view: View, one: CaseView) -> dict[str, bool]:
    can = {name: _may(view, action, one, step) for name, (action, step) in STEPS.items()}
    late = one.appeal_due_at is not None and view.now > one.appeal_due_at
    return can | {"appeal": can["appeal"] and not late}


def _show(view: View, one: CaseView, **wrong: Form[Any]) -> Response:
    can = _can(view, one)
    tied = {
        name: not can[name] and view.may(action) and CASE.allows(CaseState(one.state), step)
        for name, (action, step) in STEPS.items()
    }
    return view.show(
        "case.html",
        one=one,
        can=can,
        tied=tied["decide"] or tied["decide_appeal"],
        forms=_forms() | wrong,
        standing=standings(view.session, [one])[one.id],
        tone=TONES[CaseState(one.state)],
        done=DONE.get(CaseState(one.state)),
        mine=one.person_id == view.actor.person_id,
        home=_home(view, one),
        live="hr",
    )


def _home(view: View, one: Any) -> str:
    return f"/hr/cases/{one.id}" if view.may("read_cases") else f"/hr/my-cases/{one.id}"


def _read(view: View, case_id: UUID) -> CaseView:
    if view.may("read_cases"):
        return case_by_id(view.session, view.actor, case_id)
    return own_case(view.session, view.actor, case_id)


@pages.get("/cases/{case_id}")
def show_case(case_id: UUID, view: Annotated[View, see("read_cases")]) -> Response:
    return _show(view, case_by_id(view.session, view.actor, case_id))


def _do(view: View, case_id: UUID, name: str, act: Callable[[Any], CaseView], said: str) -> Response:
    one = _read(view, case_id)
    return view.submit(
        _forms()[name],
        act,
        then=_home(view, one),
        again=lambda form: _show(view, _read(view, case_id), **{name: form}),
        said=said,
    )


@pages.post("/cases/{case_id}/evidence")
def add(case_id: UUID, view: Annotated[View, see("add_evidence")]) -> Response:
    return _do(view, case_id, "add", lambda body: add_evidence(case_id, body, view), "已补充证据")


@pages.post("/cases/{case_id}/hear")
def hear(case_id: UUID, view: Annotated[View, see("hear_case")]) -> Response:
    return _do(view, case_id, "hear", lambda body: hear_case(case_id, body, view), "已记录申辩，等待领导决定")


@pages.post("/cases/{case_id}/decide")
def decide(case_id: UUID, view: Annotated[View, see("decide_case")]) -> Response:
    return _do(view, case_id, "decide", lambda body: decide_case(case_id, body, view), "已决定，当事人会收到提醒")


@pages.post("/cases/{case_id}/accept")
def accept(case_id: UUID, view: Annotated[View, see("accept_case")]) -> Response:
    one = _read(view, case_id)
    return view.press(
        lambda: accept_case(case_id, view),
        then=_home(view, one),
        again=lambda form: _show(view, _read(view, case_id), accept=form),
        said="已接受，案件生效",
    )


@pages.post("/cases/{case_id}/appeal")
def appeal(case_id: UUID, view: Annotated[View, see("appeal_case")]) -> Response:
    return _do(view, case_id, "appeal", lambda body: appeal_case(case_id, body, view), "已申诉，由另一位领导复核")


@pages.post("/cases/{case_id}/decide-appeal")
def conclude(case_id: UUID, view: Annotated[View, see("decide_appeal")]) -> Response:
    return _do(
        view, case_id, "decide_appeal", lambda body: decide_appeal(case_id, body, view), "已复核，当事人会收到提醒"
    )


# --- what waits for a leader ------------------------------------------------------------------------------------


@pages.get("/approvals")
def approvals(view: Annotated[View, see("read_cases")]) -> Response:
    waiting = waiting_cases(view.session, view.actor, limit=SHOWN)
    return view.show(
        "approvals.html",
        waiting=waiting,
        can={one.id: _can(view, one) for one in waiting},
        standing=standings(view.session, waiting),
        forms=_forms(),
        live="hr",
    )


# --- whoever is charged, and whoever opened it ------------------------------------------------------------------


@pages.get("/my-cases")
def mine(view: Annotated[View, see("read_own")]) -> Response:
    found = own_cases(view.session, view.actor, after=view.asked_id(), limit=SHOWN)
    return view.show("my_cases.html", found=found, tones=TONES, live="hr")


@pages.get("/my-cases/{case_id}")
def my_case(case_id: UUID, view: Annotated[View, see("read_own")]) -> Response:
    return _show(view, own_case(view.session, view.actor, case_id))


def _opening(view: View) -> Form[OpenCase]:
    opens = view.may("open_case")
    given = (
        overrides(view.session, view.actor, newest=True, after=None, limit=OVERRIDES).items
        if view.may("read_overrides")
        else []
    )
    told = [
        (
            str(one.id),
            f"{view.people.get(one.head_id, '')} → {view.people.get(one.worker_id, '')} {one.overridden_at:%Y-%m-%d}",
        )
        for one in given
    ]
    return Form(
        OpenCase,
        choices={
            "site_id": view.choose_sites(),
            "person_id": colleagues(view) if opens else [],
            "override_id": told,
            "in_working_hours": YES_NO,
        },
        shown={"site_id": str(view.asked_site() or ""), "person_id": str(view.asked_id("person") or "")},
        zone=view.zone(view.asked_site()),
    )


OPENED = [
    Column("number", "案号"),
    Column("state", "状态", "badge", tone=lambda row: TONES[CaseState(row.state)]),
    Column("offence", "违规", "word"),
    Column("person_id", "当事人", "person"),
    Column("site_id", "小区", "site"),
    Column("opened_at", "立案时间", "moment"),
]


def _opened(view: View, form: Form[OpenCase], add: Form[AddEvidence] | None = None, at: UUID | None = None) -> Response:
    found = opened_cases(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    to_add = [one for one in found.items if CASE.allows(CaseState(one.state), CaseStep.ADD_EVIDENCE)]
    table = Table(OPENED, found.items, found.next, "您还没有立过案。", "opened-cases")
    blank = Form(AddEvidence, id="add")
    return view.show("opened_cases.html", opened=table, form=form, to_add=to_add, add=add or blank, blank=blank, at=at)


@pages.get("/opened-cases")
def opened(view: Annotated[View, see("read_own")]) -> Response:
    return _opened(view, _opening(view))


@pages.post("/opened-cases")
def open_case(view: Annotated[View, see("open_case")]) -> Response:
    def after(made: Any) -> str:
        return f"/hr/cases/{made.id}" if view.may("read_cases") else "/hr/opened-cases"

    return view.submit(
        _opening(view),
        lambda body: open_by_api(body, view),
        then=after,
        again=lambda form: _opened(view, form),
        said="已立案，当事人和人事会收到提醒",
    )


@pages.post("/opened-cases/{case_id}/evidence")
def add_to_opened(case_id: UUID, view: Annotated[View, see("add_evidence")]) -> Response:
    return view.submit(
        Form(AddEvidence, id="add"),
        lambda body: add_evidence(case_id, body, view),
        then="/hr/opened-cases",
        again=lambda form: _opened(view, _opening(view), form, case_id),
        said="已补充证据",
    )
