"""Fines of the month and damage done on visits: what others told finance [R63, R74, R93]."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.finance.pages.parts import SITE, at_site, newest
from services.finance.pages.see import see
from services.finance.queries.damages import damages
from services.finance.queries.fines import fines
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

FINES = [
    Column("case_number", "处罚单"),
    SITE,
    Column("person_name", "人员"),
    Column("offence", "事由", "word"),
    Column("month", "计入月份"),
    Column("amount_fen", "金额", "money"),
    Column("confirmed_at", "确认时间", "moment"),
    Column("settled_at", "扣款时间", "moment"),
]

DAMAGES = [
    Column("reported_at", "报告时间", "moment"),
    SITE,
    Column("department", "部门", "word"),
    Column("description", "情况"),
    Column("estimate_fen", "估损", "money"),
    Column("reported_by", "报告人", "person"),
]


@pages.get("/fines")
def list_fines(view: Annotated[View, see("read_fines")]) -> Response:
    found = fines(view.session, view.reader, **newest(view))
    return view.show(
        "listing.html",
        title="罚款",
        hint="分管领导确认的罚款：先从当月分成和奖励扣，不足部分从工资扣，以法定限额为限。",
        table=Table(FINES, found.items, found.next, "没有罚款。", "fines"),
        filters=at_site(view),
    )


@pages.get("/damages")
def list_damages(view: Annotated[View, see("read_damages")]) -> Response:
    found = damages(view.session, view.reader, **newest(view))
    links = [("提出动用公积金", "/finance/reserve/propose")] if view.may("propose_reserve_use") else []
    return view.show(
        "listing.html",
        title="上门损坏",
        hint="服务时损坏的业主财物；报损可从公积金支出。",
        table=Table(DAMAGES, found.items, found.next, "没有损坏记录。", "damages"),
        filters=at_site(view),
        links=links,
    )
