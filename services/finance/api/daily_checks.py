"""The daily cash checks [R36, R85, D6]."""

from typing import Annotated

from fastapi import APIRouter

from services.finance.api.may import may
from services.finance.queries.daily_checks import CashCheckView, cash_checks
from shared.web import Edge, MonthName

routes = APIRouter(tags=["daily checks"])


@routes.get("/cash-checks", summary="A month's daily cash checks [R36, R85, D6]")
def list_cash_checks(month: MonthName, edge: Annotated[Edge, may("read_cash")]) -> list[CashCheckView]:
    return cash_checks(edge.session, edge.actor, month=month)
