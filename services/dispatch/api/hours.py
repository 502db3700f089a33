"""Paid hours of a month [R68]."""

from typing import Annotated

from fastapi import APIRouter

from services.dispatch.api.may import may
from services.dispatch.queries.hours import HoursView, hours
from shared.web import Edge, MonthName

routes = APIRouter(tags=["hours"])


@routes.get("/hours", summary="What each worker did in paid visits of a month, against the limit [R68]")
def list_hours(edge: Annotated[Edge, may("read_hours")], month: MonthName) -> list[HoursView]:
    return hours(edge.session, edge.actor, month=month, now=edge.now)
