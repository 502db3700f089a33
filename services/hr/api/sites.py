"""Sites, their public holidays and their leaders in charge."""

from datetime import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from services.hr.actions import site
from services.hr.api.fields import WallTime
from services.hr.api.may import may
from services.hr.queries.sites import (
    HolidayView,
    LeaderView,
    SiteChangeView,
    SiteView,
    holidays,
    leaders,
    site_by_id,
    site_changes,
    site_view,
    sites,
)
from shared.messages import Department
from shared.web import EARLIEST, LATEST, Body, Day, Edge, Short, Words

routes = APIRouter(tags=["sites"])


SiteCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,10}$")]


class OpenSite(Body):
    """A site 小区; its day ends at `closing` by the clock on its wall [D6]."""

    code: SiteCode
    name: Short
    zone: Short = "Asia/Shanghai"
    closing: WallTime = Field(default=time(18), description="e.g. `18:00`")


class ChangeSite(Body):
    """What is to be different, by the clock on the site's wall, and why; what is left out stays.

    `clear_hours`: the site has no service hours any more.
    """

    name: Short | None = None
    closing: WallTime | None = None
    opens: WallTime | None = None
    closes_service: WallTime | None = None
    clear_hours: bool = False
    reason: Words


class AddHoliday(Body):
    """A public holiday 法定节假日 and its name."""

    day: Day
    name: Short


class FillHolidays(Body):
    """A year whose public holidays the site does not have yet, and why now."""

    year: Annotated[int, Field(ge=EARLIEST.year, lt=LATEST.year, strict=True)]
    reason: Words


class RemoveHoliday(Body):
    """A day that is a working day after all, and why."""

    day: Day
    reason: Words


class NameLeader(Body):
    """The leader in charge 分管领导 of a department."""

    department: Department
    leader_id: UUID


@routes.post("/sites", status_code=201, summary="Open a site [R6]")
def open_site(body: OpenSite, edge: Annotated[Edge, may("open_site")]) -> SiteView:
    def act() -> SiteView:
        made = site.open_(
            edge.session, code=body.code, name=body.name, zone=body.zone, closing=body.closing, now=edge.now
        )
        return site_view(made)

    return edge.once(body, act)


@routes.get("/sites", summary="The person's sites")
def list_sites(edge: Annotated[Edge, may("read_sites")]) -> list[SiteView]:
    return sites(edge.session, edge.actor)


@routes.post(
    "/sites/{site_id}/change", summary="Change a site's name, closing or service hours, with a reason [R36, D6]"
)
def change_site(site_id: UUID, body: ChangeSite, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.change(edge.session, site_id=site_id, actor=edge.actor, now=edge.now, **dict(body))
        return site_by_id(edge.session, site_id)

    return edge.once(body, act)


@routes.get("/sites/{site_id}/changes", summary="What was changed of a site, by whom and why")
def list_site_changes(site_id: UUID, edge: Annotated[Edge, may("read_sites")]) -> list[SiteChangeView]:
    return site_changes(edge.session, edge.actor, site_id)


@routes.post("/sites/{site_id}/holidays", summary="One more public holiday [R68, R81]")
def add_holiday(site_id: UUID, body: AddHoliday, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.add_holiday(edge.session, site_id=site_id, day=body.day, name=body.name, actor=edge.actor, now=edge.now)
        return site_by_id(edge.session, site_id)

    return edge.once(body, act)


@routes.post("/sites/{site_id}/holidays/fill", summary="The public holidays of a year, from the table [R68, R81]")
def fill_holidays(site_id: UUID, body: FillHolidays, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.fill_holidays(
            edge.session, site_id=site_id, year=body.year, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return site_by_id(edge.session, site_id)

    return edge.once(body, act)


@routes.post("/sites/{site_id}/holidays/remove", summary="A holiday that is a working day after all [R68, R81]")
def remove_holiday(site_id: UUID, body: RemoveHoliday, edge: Annotated[Edge, may("change_site")]) -> SiteView:
    def act() -> SiteView:
        site.remove_holiday(
            edge.session, site_id=site_id, day=body.day, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return site_by_id(edge.session, site_id)

    return edge.once(body, act)


@routes.get("/sites/{site_id}/holidays", summary="A site's public holidays")
def list_holidays(site_id: UUID, edge: Annotated[Edge, may("read_sites")]) -> list[HolidayView]:
    return holidays(edge.session, edge.actor, site_id)


@routes.post("/sites/{site_id}/leaders", summary="Name the leader in charge of a department at a site [R77, R92]")
def name_leader(site_id: UUID, body: NameLeader, edge: Annotated[Edge, may("name_leader")]) -> list[LeaderView]:
    def act() -> list[LeaderView]:
        site.name_leader(
            edge.session,
            site_id=site_id,
            department=body.department,
            leader_id=body.leader_id,
            actor=edge.actor,
            now=edge.now,
        )
        return leaders(edge.session, edge.actor, site_id)

    return edge.once(body, act)


@routes.get("/sites/{site_id}/leaders", summary="The leaders in charge at a site, now and before [R77]")
def list_leaders(site_id: UUID, edge: Annotated[Edge, may("read_people")]) -> list[LeaderView]:
    return leaders(edge.session, edge.actor, site_id)
