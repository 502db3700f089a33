"""A payout as a file."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api.may import may
from services.hr.queries.deliveries import DeliveryView, delivery_by_id
from services.hr.rules.payout_file import as_csv, as_xlsx, name_of, totals_of
from shared.web import Edge

routes = APIRouter(tags=["payout files"])


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@routes.get(
    "/payouts/{settlement_id}.csv",
    summary="A payout as CSV: one line for each person [R92-R94]",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "the file; its totals are in headers X-Total-…"}},
)
def payout_as_csv(settlement_id: UUID, edge: Annotated[Edge, may("read_deliveries")]) -> Response:
    found = delivery_by_id(edge.session, edge.actor, settlement_id)
    return _file(found, as_csv(found.payload), "csv", "text/csv; charset=utf-8")


@routes.get(
    "/payouts/{settlement_id}.xlsx",
    summary="A payout as XLSX: the lines, and the totals on a second sheet [R92-R94]",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "the file; its totals are in headers X-Total-… too"}},
)
def payout_as_xlsx(settlement_id: UUID, edge: Annotated[Edge, may("read_deliveries")]) -> Response:
    found = delivery_by_id(edge.session, edge.actor, settlement_id)
    return _file(found, as_xlsx(found.payload, made_at=found.made_at), "xlsx", XLSX)


@routes.get("/payouts/{settlement_id}/totals", summary="What a payout's files belong to and come to, in fen [R92]")
def payout_totals(settlement_id: UUID, edge: Annotated[Edge, may("read_deliveries")]) -> dict[str, str | int]:
    return totals_of(delivery_by_id(edge.session, edge.actor, settlement_id).payload)


def _file(found: DeliveryView, content: bytes, ending: str, media_type: str) -> Response:
    totals = found.payload["totals"]
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name_of(found.payload, ending)}"',
            "Cache-Control": "no-store",
            "X-Total-Lines": str(totals["lines"]),
            "X-Total-Net-Fen": str(totals["net_fen"]),
            "X-Total-From-Wage-Fen": str(totals["from_wage_fen"]),
        },
    )
