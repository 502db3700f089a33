"""Sites 小区: opened, their hours, public holidays and leaders in charge [R6, R36, R68, R77, D6]."""

from collections.abc import Callable
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api import sites as sites_api
from services.hr.api.sites import AddHoliday, ChangeSite, FillHolidays, NameLeader, OpenSite, RemoveHoliday
from services.hr.pages.see import colleagues, see
from services.hr.queries.sites import holidays, leaders, site_changes, sites
from shared.errors import NotFound
from shared.messages import Department
from shared.ui.forms import Form
from shared.ui.tables import Column, Table
from shared.ui.views import View

pages = APIRouter()

COLUMNS = [
    Column("name", "小区", link=lambda row: f"/hr/sites/{row.id}"),
    Column("code", "代码"),
    Column("closing", "日结时间"),
    Column("opens", "服务开始"),
    Column("closes_service", "服务结束"),
    Column("zone", "时区"),
]


def _list(view: View, form: Form[OpenSite]) -> Response:
    found = sites(view.session, view.actor)
    table = Table(COLUMNS, found, None, "还没有小区；开设后再办理入职。", "sites")
    return view.show("sites.html", found=table, form=form)


def _opening() -> Form[OpenSite]:
    return Form(OpenSite, shown={"zone": "Asia/Shanghai", "closing": "18:00"})


@pages.get("/sites")
def list_sites(view: Annotated[View, see("read_sites")]) -> Response:
    return _list(view, _opening())


@pages.post("/sites")
def open_site(view: Annotated[View, see("open_site")]) -> Response:
    return view.submit(
        _opening(),
        lambda body: sites_api.open_site(body, view),
        then=lambda made: f"/hr/sites/{made.id}",
        again=lambda form: _list(view, form),
        said="小区已开设",
    )


def _forms(view: View) -> dict[str, Form[Any]]:
    in_charge = {
        "department": [(one, one) for one in get_args(Department)],
        "leader_id": colleagues(view, role="leader") if view.may("name_leader") else [],
    }
    return {
        "change": Form(ChangeSite, id="change"),
        "holiday": Form(AddHoliday, id="holiday"),
        "fill": Form(FillHolidays, shown={"year": f"{view.today().year + 1}"}, id="fill"),
        "remove": Form(RemoveHoliday, id="remove"),
        "leader": Form(NameLeader, choices=in_charge, id="leader"),
    }


def _show(view: View, site_id: UUID, **wrong: Form[Any]) -> Response:
    one = next((one for one in sites(view.session, view.actor) if one.id == site_id), None)
    if one is None:
        raise NotFound("site", site_id)
    today = view.today(site_id)
    return view.show(
        "site.html",
        one=one,
        forms=_forms(view) | wrong,
        holidays=[day for day in holidays(view.session, view.actor, site_id) if day.day.year >= today.year],
        leaders=leaders(view.session, view.actor, site_id) if view.may("read_people") else [],
        changes=list(reversed(site_changes(view.session, view.actor, site_id))),
    )


@pages.get("/sites/{site_id}")
def show_site(site_id: UUID, view: Annotated[View, see("read_sites")]) -> Response:
    return _show(view, site_id)


def _done(view: View, site_id: UUID, name: str, act: Callable[[Any], Any], said: str) -> Response:
    return view.submit(
        _forms(view)[name],
        act,
        then=f"/hr/sites/{site_id}",
        again=lambda form: _show(view, site_id, **{name: form}),
        said=said,
    )


@pages.post("/sites/{site_id}/change")
def change(site_id: UUID, view: Annotated[View, see("change_site")]) -> Response:
    return _done(view, site_id, "change", lambda body: sites_api.change_site(site_id, body, view), "已修改")


@pages.post("/sites/{site_id}/holidays")
def add_holiday(site_id: UUID, view: Annotated[View, see("change_site")]) -> Response:
    return _done(view, site_id, "holiday", lambda body: sites_api.add_holiday(site_id, body, view), "已加节假日")


@pages.post("/sites/{site_id}/holidays/fill")
def fill_holidays(site_id: UUID, view: Annotated[View, see("change_site")]) -> Response:
    return _done(view, site_id, "fill", lambda body: sites_api.fill_holidays(site_id, body, view), "已补全节假日")


@pages.post("/sites/{site_id}/holidays/remove")
def remove_holiday(site_id: UUID, view: Annotated[View, see("change_site")]) -> Response:
    return _done(view, site_id, "remove", lambda body: sites_api.remove_holiday(site_id, body, view), "已改为工作日")


@pages.post("/sites/{site_id}/leaders")
def name_leader(site_id: UUID, view: Annotated[View, see("name_leader")]) -> Response:
    return _done(view, site_id, "leader", lambda body: sites_api.name_leader(site_id, body, view), "已指定分管领导")
