"""What hr hears and keeps: steps to carry out, overrides, missed callbacks, points [R43, R48, D3, D8, D19]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api.tasks import FinishTask
from services.hr.api.tasks import finish_task as finish_by_api
from services.hr.pages.see import see
from services.hr.queries.missed_callbacks import missed_callbacks
from services.hr.queries.overrides import overrides
from services.hr.queries.points import points
from services.hr.queries.tasks import tasks
from services.hr.rules.ladder import PenaltyStep
from services.hr.rules.task import MOVES
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

SHOWN = 50

DONE = [
    Column("case_number", "案号", link=lambda row: f"/hr/cases/{row.case_id}"),
    Column("kind", "处理", "word"),
    Column("person_name", "当事人"),
    Column("site_id", "小区", "site"),
    Column("due_at", "期限", "moment"),
    Column("done_at", "办结时间", "moment"),
    Column("done_by", "经办人", "person"),
    Column("evidence", "依据"),
]

OVERRIDES = [
    Column("overridden_at", "时间", "moment"),
    Column("head_id", "主管", "person"),
    Column("worker_id", "服务人员", "person"),
    Column("department", "部门", "word"),
    Column("site_id", "小区", "site"),
    Column("reason", "原因"),
]

MISSED = [
    Column("request_number", "登记号"),
    Column("site_id", "小区", "site"),
    Column("clerk_id", "登记人", "person"),
    Column("due_at", "应回电时间", "moment"),
]

POINTS = [
    Column("month", "月份"),
    Column("person_name", "人员"),
    Column("site_id", "小区", "site"),
    Column("case_number", "案号"),
    Column("points", "扣分", "number"),
]


def _tasks(view: View, form: Form[FinishTask] | None = None, at: UUID | None = None) -> Response:
    open_ = tasks(view.session, view.actor, done=False, after=None, limit=SHOWN).items
    done = tasks(view.session, view.actor, done=True, after=view.asked_id(), limit=view.rows)
    return view.show(
        "tasks.html",
        open=open_,
        moves={str(one.id) for one in open_ if PenaltyStep(one.kind) in MOVES},
        done=Table(DONE, done.items, done.next, "还没有办结的处理。", "tasks"),
        form=form or Form(FinishTask, id="finish"),
        at=at,
        live="hr",
    )


@pages.get("/tasks")
def list_tasks(view: Annotated[View, see("read_tasks")]) -> Response:
    return _tasks(view)


@pages.post("/tasks/{task_id}/finish")
def finish_task(task_id: UUID, view: Annotated[View, see("finish_task")]) -> Response:
    return view.submit(
        Form(FinishTask, id="finish"),
        lambda body: finish_by_api(task_id, body, view),
        then="/hr/tasks",
        again=lambda form: _tasks(view, form, task_id),
        said="已办结",
    )


@pages.get("/overrides")
def list_overrides(view: Annotated[View, see("read_overrides")]) -> Response:
    found = overrides(
        view.session, view.actor, site_id=view.asked_site(), newest=True, after=view.asked_id(), limit=view.rows
    )
    table = Table(OVERRIDES, found.items, found.next, "没有先派有偿服务的记录。", "overrides")
    hint = "主管派了本职工作未完成的人；影响本职的，可据此立案。"
    return view.show("record_list.html", table=table, title="先派有偿服务", hint=hint)


@pages.get("/missed-callbacks")
def list_missed(view: Annotated[View, see("read_missed_callbacks")]) -> Response:
    found = missed_callbacks(
        view.session, view.actor, site_id=view.asked_site(), newest=True, after=view.asked_id(), limit=view.rows
    )
    table = Table(MISSED, found.items, found.next, "没有超时未回电的登记。", "missed-callbacks")
    hint = "登记后 10 分钟内没有接通业主。"
    return view.show("record_list.html", table=table, title="回电超时", hint=hint)


@pages.get("/points")
def list_points(view: Annotated[View, see("read_points")]) -> Response:
    month = view.asked_month() if view.asked("month") else None
    found = points(view.session, view.actor, person_id=view.asked_id("person"), month=month)
    table = Table(POINTS, found, None, "没有扣分；只有把罚款改为扣分的小区才有。", "points")
    return view.show("points.html", table=table)
