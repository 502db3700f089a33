"""Who is free, what certificates they hold, and the paid hours of a month [R30, R50, R66, R68]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.dispatch.pages.see import see
from services.dispatch.queries.hours import hours
from services.dispatch.queries.teams import CertificateView, certificates, workers
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

PEOPLE = [
    Column("name", "姓名"),
    Column("department", "部门", "word"),
    Column("duties_done_today", "今日职责完成", "badge", tone=lambda row: "good" if row.duties_done_today else "warn"),
    Column("open_orders", "未结工单", "number"),
]

HOURS = [
    Column("name", "姓名"),
    Column("visits", "上门次数", "number"),
    Column("spent", "有偿工时", "number"),
    Column("minutes", "分钟", "number"),
    Column("state", "与上限相比", "badge", tone=lambda row: row["tone"]),
]


@pages.get("/workers")
def team(view: Annotated[View, see("read_workers")]) -> Response:
    people = workers(view.session, view.actor, now=view.now)
    departments = {one.department for one in people}
    columns = [column for column in PEOPLE if len(departments) > 1 or column.name != "department"]
    held = certificates(view.session, view.actor)
    today = view.today()

    def tone(row: CertificateView) -> str:
        return "bad" if row.valid_until < today else "warn" if (row.valid_until - today).days <= 30 else "good"

    kinds = [
        Column("person_id", "姓名", "person"),
        Column("kind", "证书", "word"),
        Column("number", "证书编号"),
        Column("valid_until", "有效期至", "badge", tone=tone),
    ]
    return view.show(
        "workers.html",
        people=Table(columns, people, empty="还没有服务人员。人事入职后会出现在这里。", name="workers"),
        held=Table(kinds, held, empty="没有登记的证书。电路维修须持低压电工证，由人事登记。", name="certificates"),
    )


@pages.get("/hours")
def of_the_month(view: Annotated[View, see("read_hours")]) -> Response:
    month = view.asked_month()
    rows = [
        {
            "name": one.name,
            "visits": one.visits,
            "spent": f"{one.minutes // 60}:{one.minutes % 60:02d}",
            "minutes": one.minutes,
            "state": view.say("已超上限")
            if one.over_limit
            else view.say("接近上限")
            if one.near_limit
            else view.say("正常"),
            "tone": "bad" if one.over_limit else "warn" if one.near_limit else "good",
        }
        for one in hours(view.session, view.actor, month=month, now=view.now)
    ]
    return view.show("hours.html", table=Table(HOURS, rows, empty="这个月没有人员。", name="hours"), month=month)
