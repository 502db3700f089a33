"""Cash that was still out the next morning [R86, D6]."""

from typing import Annotated

from fastapi import APIRouter

from services.finance.api.may import may
from services.finance.queries.missing_cash import MissingCashView, missing_cash
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["missing cash"])


@routes.get("/missing-cash", summary="Cash that was still out the next morning [R86, D6]")
def list_missing_cash(
    edge: Annotated[Edge, may("read_cash")], after: After = None, limit: Limit = 100
) -> Page[MissingCashView]:
    return missing_cash(edge.session, edge.actor, after=after, limit=limit)
