"""What was missing when cash was counted: stated, confirmed, made good [R86, R88, D7]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.finance.actions import cash_difference
from services.finance.api.may import may
from services.finance.queries.cash_differences import CashDifferenceView, cash_difference_view, cash_differences
from services.finance.queries.hand_overs import HandOverView, hand_over_as_left
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Reason

routes = APIRouter(tags=["cash differences"])


class MakeGood(Body):
    """What the cashier counted: all that is missing."""

    counted_fen: PositiveFen


@routes.post("/hand-overs/{hand_over_id}/settle-difference", summary="The receiver states what is missing [R86]")
def settle_difference(
    hand_over_id: UUID, body: Reason, edge: Annotated[Edge, may("settle_difference")]
) -> HandOverView:
    def act() -> HandOverView:
        stated = cash_difference.settle_difference(
            edge.session, hand_over_id=hand_over_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return hand_over_as_left(edge.session, stated, edge.actor)

    return edge.once(body, act)


@routes.post("/hand-overs/{hand_over_id}/confirm-difference", summary="The giver confirms it: he owes it [R86, R88]")
def confirm_difference(hand_over_id: UUID, edge: Annotated[Edge, may("confirm_difference")]) -> HandOverView:
    def act() -> HandOverView:
        confirmed = cash_difference.confirm_difference(
            edge.session, hand_over_id=hand_over_id, actor=edge.actor, now=edge.now
        )
        return hand_over_as_left(edge.session, confirmed, edge.actor)

    return edge.once(None, act)


@routes.get("/cash-differences", summary="What was missing when cash was counted [R86, R88]")
def list_cash_differences(
    edge: Annotated[Edge, may("read_cash")], after: After = None, limit: Limit = 100
) -> Page[CashDifferenceView]:
    return cash_differences(edge.session, edge.actor, after=after, limit=limit)


@routes.post("/cash-differences/{difference_id}/make-good", summary="What was missing was brought to finance [R86, D7]")
def make_good(difference_id: UUID, body: MakeGood, edge: Annotated[Edge, may("make_good")]) -> CashDifferenceView:
    def act() -> CashDifferenceView:
        made_good = cash_difference.make_good(
            edge.session, difference_id=difference_id, counted_fen=body.counted_fen, actor=edge.actor, now=edge.now
        )
        return cash_difference_view(made_good)

    return edge.once(body, act)
