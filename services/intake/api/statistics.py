"""The month's statistics: asked for and signed [R40, R41]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.intake.actions import statistics
from services.intake.api.may import may
from services.intake.queries.statistics import MonthView, months
from shared.web import Edge, MonthName

routes = APIRouter(tags=["statistics"])


@routes.get("/months/{month}", summary="A month's statistics at each site, compared line by line [R40, R41]")
def read_month(month: MonthName, edge: Annotated[Edge, may("read_months")]) -> list[MonthView]:
    return months(edge.session, edge.actor, month=month)


@routes.post("/months/{month}/sites/{site_id}/ask", summary="Ask the departments for their figures once more [R41]")
def ask_figures(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("ask_figures")]) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.ask_figures(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
        return months(edge.session, edge.actor, month=month)

    return edge.once(None, act)


@routes.post("/months/{month}/sites/{site_id}/sign", summary="The person's department agrees with every line [R41]")
def sign_statistics(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("sign_statistics")]) -> list[MonthView]:
    def act() -> list[MonthView]:
        statistics.sign(edge.session, site_id=site_id, month=month, actor=edge.actor, now=edge.now)
        return months(edge.session, edge.actor, month=month)

    return edge.once(None, act)
