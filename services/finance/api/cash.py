"""Cash in people's hands [R86]."""

from typing import Annotated

from fastapi import APIRouter

from services.finance.api.may import may
from services.finance.queries.cash import CashView, cash
from shared.web import Edge

routes = APIRouter(tags=["cash"])


@routes.get("/cash", summary="Cash not with finance, by holder [R86]")
def list_cash(edge: Annotated[Edge, may("read_cash")]) -> list[CashView]:
    return cash(edge.session, edge.actor)
