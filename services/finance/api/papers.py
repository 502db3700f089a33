"""Finance's papers, to print and to look at [R34, R36, R55, R72]."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from services.finance.api.may import may
from services.finance.papers.cash import hand_over_slip, receipt
from services.finance.papers.prices import price_list
from services.finance.papers.reserve import reserve_statement_paper
from shared.paper_routes import DRAWN, FileType, PageNumber, hand_out
from shared.web import Edge, MonthName

routes = APIRouter(tags=["papers"])


@routes.get(
    "/receipts/{receipt_id}/receipt.{file_type}", summary="The receipt 收据, A5 or on the 80 mm roll [R34]", **DRAWN
)
def print_receipt(
    receipt_id: UUID,
    file_type: FileType,
    edge: Annotated[Edge, may("read_receipts")],
    size: Literal["a5", "roll"] = "a5",
    page: PageNumber = 1,
) -> Response:
    paper = receipt(edge.session, edge.actor, receipt_id)
    return hand_out(edge, "finance", paper, file_type, size=size, page=page)


@routes.get(
    "/hand-overs/{hand_over_id}/slip.{file_type}",
    summary="The hand-over slip 现金交接单; until it is counted, a sheet to count on [R36, R85]",
    **DRAWN,
)
def print_hand_over(
    hand_over_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_hand_overs")], page: PageNumber = 1
) -> Response:
    return hand_out(edge, "finance", hand_over_slip(edge.session, edge.actor, hand_over_id), file_type, page=page)


@routes.get("/price-versions/{version_id}/price-list.{file_type}", summary="The price list 收费标准 [R55-R57]", **DRAWN)
def print_price_list(
    version_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_prices")], page: PageNumber = 1
) -> Response:
    return hand_out(edge, "finance", price_list(edge.session, version_id), file_type, page=page)


@routes.get(
    "/reserve/{site_id}/statement.{file_type}", summary="A month of the reserve fund 公积金对账单 [R72-R77]", **DRAWN
)
def print_reserve_statement(
    site_id: UUID,
    month: MonthName,
    file_type: FileType,
    edge: Annotated[Edge, may("read_reserve")],
    page: PageNumber = 1,
) -> Response:
    paper = reserve_statement_paper(edge.session, edge.actor, month=month, site_id=site_id)
    return hand_out(edge, "finance", paper, file_type, page=page)
