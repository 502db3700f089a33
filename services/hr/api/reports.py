"""Month reports, as the administration department received them."""

from typing import Annotated

from fastapi import APIRouter

from services.hr.api.may import may
from services.hr.queries.reports import ReportView, reports
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["reports"])


@routes.get("/reports", summary="Month reports received by the administration department [R42, R43]")
def list_reports(
    edge: Annotated[Edge, may("read_reports")], after: After = None, limit: Limit = 100
) -> Page[ReportView]:
    return reports(edge.session, edge.actor, after=after, limit=limit)
