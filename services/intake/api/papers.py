"""The desk's papers, to print and to look at [R20, R24, R42]."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from services.intake.api.may import may
from services.intake.api.owner_links import owner_page_address
from services.intake.papers.desk import owner_slip, registration_form, service_notice
from services.intake.papers.report import month_report
from shared.paper_routes import DRAWN, FileType, PageNumber, hand_out
from shared.web import Edge, MonthName

routes = APIRouter(tags=["papers"])


@routes.get(
    "/requests/{request_id}/registration-form.{file_type}", summary="The registration form 登记表 [R20]", **DRAWN
)
def print_registration_form(
    request_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_requests")], page: PageNumber = 1
) -> Response:
    return hand_out(edge, "intake", registration_form(edge.session, edge.actor, request_id), file_type, page=page)


@routes.get(
    "/requests/{request_id}/service-notice.{file_type}",
    summary="The service notice 通知单: three copies on an A4, or one sheet of continuous paper [R24, R25]",
    **DRAWN,
)
def print_service_notice(
    request_id: UUID,
    file_type: FileType,
    edge: Annotated[Edge, may("read_requests")],
    size: Literal["a4", "continuous"] = "a4",
    page: PageNumber = 1,
) -> Response:
    paper = service_notice(edge.session, edge.actor, request_id)
    return hand_out(edge, "intake", paper, file_type, size=size, page=page)


@routes.get(
    "/requests/{request_id}/owner-slip.{file_type}",
    summary="The slip the owner takes home 预约单, with the code to his own page; kept nowhere [R17, R46]",
    **DRAWN,
)
def print_owner_slip(
    request_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_owner_link")], page: PageNumber = 1
) -> Response:
    address = owner_page_address(edge.request)
    paper = owner_slip(edge.session, edge.actor, request_id, address=address, now=edge.now)
    return hand_out(edge, "intake", paper, file_type, size="a6", page=page)


@routes.get(
    "/months/{month}/sites/{site_id}/report.{file_type}",
    summary="The month's report 月度报表, a draft until it is agreed [R42, R43]",
    **DRAWN,
)
def print_report(
    month: MonthName,
    site_id: UUID,
    file_type: FileType,
    edge: Annotated[Edge, may("read_months")],
    page: PageNumber = 1,
) -> Response:
    paper = month_report(edge.session, edge.actor, month=month, site_id=site_id)
    return hand_out(edge, "intake", paper, file_type, page=page)
