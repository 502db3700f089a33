"""Deposits of till cash at the bank [R87]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.finance.actions import deposit
from services.finance.api.may import may
from services.finance.queries.deposits import DepositView, deposit_view, deposits
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Short

routes = APIRouter(tags=["deposits"])


class DepositCash(Body):
    """Cash of a site's till that was taken to the bank, by the bank's slip."""

    site_id: UUID
    amount_fen: PositiveFen
    reference: Short


@routes.post("/deposits", status_code=201, summary="Cash of the till was taken to the bank [R87]")
def deposit_cash(body: DepositCash, edge: Annotated[Edge, may("deposit_cash")]) -> DepositView:
    def act() -> DepositView:
        made = deposit.deposit(
            edge.session,
            site_id=body.site_id,
            amount_fen=body.amount_fen,
            reference=body.reference,
            actor=edge.actor,
            now=edge.now,
        )
        return deposit_view(made)

    return edge.once(body, act)


@routes.get("/deposits", summary="Cash taken to the bank [R87]")
def list_deposits(
    edge: Annotated[Edge, may("read_deposits")], after: After = None, limit: Limit = 100
) -> Page[DepositView]:
    return deposits(edge.session, edge.actor, after=after, limit=limit)
