"""Regular work: prescribed, ticked, checked, and found undone [R3, R50, R51, R78]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.dispatch.api import duties as api
from services.dispatch.api import neglects as findings
from services.dispatch.pages.see import see
from services.dispatch.queries.duties import duties, duties_mine, prescribed_duties
from services.dispatch.queries.neglects import neglects, overrides_to_cite, workers_found
from services.dispatch.queries.teams import workers
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

CITED = 50
"""Leaves to go that a finding is offered to cite."""

DAY = [
    Column("name", "姓名"),
    Column("prescribed", "规定职责", "number"),
    Column("ticked", "已完成", "number"),
    Column("done", "当天完成", "badge", tone=lambda row: "good" if row.done else "warn"),
    Column("done_at", "完成时间", "clock"),
    Column("good", "检查结果", "badge", tone=lambda row: "good" if row.good else "bad"),
]

PRESCRIBED = [
    Column("name", "职责"),
    Column("person_id", "人员", "person"),
    Column("shift", "班次", "word"),
    Column("site_id", "小区", "site"),
    Column("since", "开始日期", "day"),
]

FOUND = [
    Column("day", "日期", "day"),
    Column("worker_id", "服务人员", "person"),
    Column("reason", "情况说明"),
    Column("head_id", "责任主管", "person"),
    Column("found_by", "查实人", "person"),
    Column("site_id", "小区", "site"),
]


def _day(view: View, wrong: Form[Any] | None = None) -> Response:
    day = view.asked_day("day") or view.today()
    rows = duties(view.session, view.actor, day=day, now=view.now)
    form = wrong or Form(
        api.CheckDay,
        choices={
            "person_id": [(str(row.person_id), row.name) for row in rows],
            "good": [("true", "good_yes"), ("false", "good_no")],
        },
        shown={"day": day.isoformat(), "good": "true"},
    )
    empty = "本部门还没有服务人员。"
    return view.show("duties.html", table=Table(DAY, rows, empty=empty, name="duties"), form=form, day=day)


@pages.get("/duties")
def of_the_day(view: Annotated[View, see("read_duties")]) -> Response:
    return _day(view)


@pages.post("/duty-days/check")
def check(view: Annotated[View, see("check_day")]) -> Response:
    people = [(str(row.person_id), row.name) for row in duties(view.session, view.actor, day=None, now=view.now)]
    choices = {"person_id": people, "good": [("true", "good_yes"), ("false", "good_no")]}
    return view.submit(
        Form(api.CheckDay, choices=choices),
        lambda body: api.check_day(body, view),
        then=lambda done: f"/dispatch/duties?day={done.day}",
        again=lambda form: _day(view, form),
        said="已记录检查结果",
    )


def _prescribe_form(view: View) -> Form[api.PrescribeDuty]:
    people = workers(view.session, view.actor, now=view.now) if view.may("read_workers") else []
    return Form(
        api.PrescribeDuty,
        choices={
            "site_id": view.choose_sites(),
            "person_id": [(str(one.person_id), one.name) for one in people],
            "shift": [("day", "day_shift"), ("night", "night")],
        },
        shown={"site_id": str(next(iter(view.sites), ""))},
    )


def _prescribed(view: View, *, form: Form[Any] | None = None, wrong: Form[Any] | None = None) -> Response:
    found = prescribed_duties(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    return view.show(
        "prescribed.html", found=found, form=form or _prescribe_form(view), wrong=wrong, opened=form is not None
    )


@pages.get("/duties/prescribed")
def prescribed(view: Annotated[View, see("read_prescribed")]) -> Response:
    if view.asked("export"):
        found = prescribed_duties(view.session, view.actor, after=None, limit=view.rows)
        return view.show("prescribed.html", table=Table(PRESCRIBED, found.items, name="prescribed"))
    return _prescribed(view)


@pages.post("/duties")
def prescribe(view: Annotated[View, see("prescribe_duty")]) -> Response:
    return view.submit(
        _prescribe_form(view),
        lambda body: api.prescribe_duty(body, view),
        then="/dispatch/duties/prescribed",
        again=lambda form: _prescribed(view, form=form),
        said="已规定，从今天起执行",
    )


@pages.post("/duties/{duty_id}/retire")
def retire(duty_id: UUID, view: Annotated[View, see("retire_duty")]) -> Response:
    return view.press(
        lambda: api.retire_duty(duty_id, view),
        then="/dispatch/duties/prescribed",
        again=lambda form: _prescribed(view, wrong=form),
        said="已取消，从今天起不再执行",
    )


def _mine(view: View, wrong: Form[Any] | None = None) -> Response:
    mine = duties_mine(view.session, view.actor, now=view.now)
    return view.show("my_duties.html", mine=mine, wrong=wrong)


@pages.get("/duties/mine")
def mine(view: Annotated[View, see("read_own_duties")]) -> Response:
    return _mine(view)


@pages.post("/duties/{duty_id}/tick")
def tick(duty_id: UUID, view: Annotated[View, see("tick_duty")]) -> Response:
    return view.press(
        lambda: api.tick_duty(duty_id, view),
        then="/dispatch/duties/mine",
        again=lambda form: _mine(view, form),
        said="已完成一项",
    )


@pages.post("/duties/done")
def done(view: Annotated[View, see("mark_duties_done")]) -> Response:
    return view.press(
        lambda: api.mark_duties_done(view),
        then="/dispatch/duties/mine",
        again=lambda form: _mine(view, form),
        said="已记录：今天的本职工作已完成",
    )


def _finding_form(view: View) -> Form[findings.FindNeglect]:
    people = {} if not view.may("find_neglect") else dict(workers_found(view.session, view.actor))
    leaves = overrides_to_cite(view.session, view.actor, limit=CITED) if people else []
    return Form(
        findings.FindNeglect,
        choices={
            "worker_id": [(str(id_), name) for id_, name in people.items()],
            "override_id": [
                (
                    str(one.id),
                    f"{view.people.get(one.worker_id, '—')} · {one.overridden_at:%m-%d} · {one.reason[:20]}",
                )
                for one in leaves
            ],
        },
        shown={"day": view.today().isoformat()},
    )


def _neglects(view: View, form: Form[Any] | None = None) -> Response:
    found = neglects(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    empty = "没有因有偿服务耽误本职工作的记录。"
    table = Table(FOUND, found.items, found.next, empty, "neglects")
    return view.show("neglects.html", table=table, form=form or _finding_form(view))


@pages.get("/neglects")
def neglected(view: Annotated[View, see("read_neglects")]) -> Response:
    return _neglects(view)


@pages.post("/duty-days/neglect")
def find_neglect(view: Annotated[View, see("find_neglect")]) -> Response:
    return view.submit(
        _finding_form(view),
        lambda body: findings.find_neglect(body, view),
        then="/dispatch/neglects",
        again=lambda form: _neglects(view, form),
        said="已登记，人事会收到",
    )
