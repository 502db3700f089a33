"""The month's report, to be read and to be printed [R42, R43]."""

from importlib.resources import files
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from services.intake.api.may import may
from services.intake.queries.reports import ReportView, report
from services.intake.rules.report import label, shown
from shared.calendar import local
from shared.headers import paper_policy
from shared.web import Edge, MonthName

routes = APIRouter(tags=["reports"])


PAPERS = Environment(loader=PackageLoader("services.intake"), autoescape=True, undefined=StrictUndefined)
"""The documents that are printed."""
PAPERS.globals.update(label=label, shown=shown, local=local)

POLICY = paper_policy((files("services.intake") / "templates" / "report.html").read_text(encoding="utf-8"))


@routes.get(
    "/months/{month}/sites/{site_id}/report", summary="The month's report, a draft until it is agreed [R42, R43]"
)
def read_report(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("read_months")]) -> ReportView:
    return report(edge.session, edge.actor, site_id=site_id, month=month)


@routes.get(
    "/months/{month}/sites/{site_id}/report.html",
    summary="The month's report to be printed [R42, R43]",
    response_class=HTMLResponse,
)
def print_report(month: MonthName, site_id: UUID, edge: Annotated[Edge, may("read_months")]) -> HTMLResponse:
    found = report(edge.session, edge.actor, site_id=site_id, month=month)
    tables = [list(lines) for _, lines in groupby(found.lines, lambda line: (line.department, line.person_id))]
    page = PAPERS.get_template("report.html").render(report=found, tables=tables, now=edge.now)
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})
