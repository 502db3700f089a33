"""The month's report [R42, R43]; papers.py prints it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.intake.api.may import may
from services.intake.queries.reports import ReportView, report
from shared.web import Edge, MonthName

routes = APIRouter(tags=["reports"])


@routes.get(
    "/months/{month}/sites/{site_id}/report", summary="The month's report, a draft until it is agreed [R42, R43]"
)
def read_report(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("read_months")]) -> ReportView:
    return report(edge.session, edge.actor, site_id=site_id, month=month)
