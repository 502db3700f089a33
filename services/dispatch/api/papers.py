"""The departments' paper, to print and to look at [R32]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.dispatch.api.may import may
from services.dispatch.papers.acceptance import settlement_list
from shared.paper_routes import DRAWN, FileType, PageNumber, hand_out
from shared.web import Edge

routes = APIRouter(tags=["papers"])


@routes.get(
    "/work-orders/{work_order_id}/settlement-list.{file_type}",
    summary="The settlement list 结算清单 to be signed, or as it was signed [R32, D23]",
    **DRAWN,
)
def print_settlement_list(
    work_order_id: UUID, file_type: FileType, edge: Annotated[Edge, may("read_work_orders")], page: PageNumber = 1
) -> Response:
    return hand_out(edge, "dispatch", settlement_list(edge.session, edge.actor, work_order_id), file_type, page=page)
