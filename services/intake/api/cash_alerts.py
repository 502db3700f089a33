"""Cash of the desk that finance waits for [R36, R85, D6]."""

from typing import Annotated

from fastapi import APIRouter

from services.intake.api.may import may
from services.intake.queries.cash_alerts import CashAlertView, cash_alerts
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["cash_alerts"])


@routes.get("/cash-alerts", summary="Cash finance waits for [D6]")
def list_cash_alerts(
    edge: Annotated[Edge, may("read_months")], after: After = None, limit: Limit = 100
) -> Page[CashAlertView]:
    return cash_alerts(edge.session, edge.actor, after=after, limit=limit)
