"""The price book in force, and what is told to an owner who asks [R22, R55]."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.intake.api.may import may
from services.intake.queries.prices import LookupView, PriceView, price_lookup, prices
from shared.web import Edge

routes = APIRouter(tags=["prices"])


Asked = Annotated[str, Query(max_length=200, description="words to look for; none: everything")]


@routes.get("/prices", summary="The price book in force today [R22, R55]")
def list_prices(edge: Annotated[Edge, may("read_prices")]) -> list[PriceView]:
    return prices(edge.session, edge.actor, now=edge.now)


@routes.get("/price-lookup", summary="Prices and answers that have these words in them [R22, R55]")
def look_up_price(
    edge: Annotated[Edge, may("read_prices")], q: Asked = "", trade: Annotated[str | None, Query(max_length=40)] = None
) -> LookupView:
    return price_lookup(edge.session, edge.actor, q=q.strip(), trade=trade, now=edge.now)
