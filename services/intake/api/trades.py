"""The catalogue of trades of a site [R7-R10, D2]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.intake.api.may import may
from services.intake.queries.trades import TradeView, trades
from shared.web import Edge

routes = APIRouter(tags=["trades"])


@routes.get("/trades", summary="The catalogue of trades at a site: who does it, or why it is refused [R7-R10, D2]")
def list_trades(site_id: UUID, edge: Annotated[Edge, may("read_trades")]) -> list[TradeView]:
    return trades(edge.session, edge.actor, site_id=site_id, now=edge.now)
