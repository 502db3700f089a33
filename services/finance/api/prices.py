"""The price book [R55-R57, D10]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.finance.actions import price
from services.finance.api.may import may
from services.finance.queries.prices import (
    PriceDifferenceView,
    PriceVersionView,
    price_difference,
    price_version_in_force,
    price_version_view,
    price_versions,
)
from shared.messages import PriceItem
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Day, Edge, Limit, Short

routes = APIRouter(tags=["prices"])


class DraftItem(Body):
    """One line of the price book: a fee must lie from `min_fen` to `max_fen` [R57]."""

    code: Short
    trade: Short
    name: Short
    unit: Short
    min_fen: PositiveFen
    max_fen: PositiveFen


class DraftPrices(Body):
    """A version of the price book, whole [R55]."""

    effective_from: Day
    items: list[DraftItem] = Field(min_length=1, max_length=1000)


@routes.post("/price-versions", status_code=201, summary="Draft the next version of the price book [R55]")
def draft_prices(body: DraftPrices, edge: Annotated[Edge, may("draft_prices")]) -> PriceVersionView:
    def act() -> PriceVersionView:
        version = price.draft(
            edge.session,
            effective_from=body.effective_from,
            items=[PriceItem(**item.model_dump()) for item in body.items],
            actor=edge.actor,
            now=edge.now,
        )
        return price_version_view(version)

    return edge.once(body, act)


@routes.post("/price-versions/{version_id}/approve", summary="Approve a version; not by who drafted it [R56, D10]")
def approve_prices(version_id: UUID, edge: Annotated[Edge, may("approve_prices")]) -> PriceVersionView:
    version = price.approve(edge.session, version_id=version_id, actor=edge.actor, now=edge.now)
    return price_version_view(version)


@routes.get("/price-versions", summary="Versions of the price book [R55]")
def list_price_versions(
    edge: Annotated[Edge, may("read_prices")], after: After = None, limit: Limit = 100
) -> Page[PriceVersionView]:
    return price_versions(edge.session, after=after, limit=limit)


@routes.post("/price-versions/{version_id}/withdraw", summary="Take a draft back [R55]")
def withdraw_prices(version_id: UUID, edge: Annotated[Edge, may("withdraw_prices")]) -> PriceVersionView:
    def act() -> PriceVersionView:
        version = price.withdraw(edge.session, version_id=version_id, actor=edge.actor, now=edge.now)
        return price_version_view(version)

    return edge.once(None, act)


@routes.get("/price-versions/in-force", summary="The version fees are agreed from on a day [R57, D10]")
def read_price_version_in_force(on: Day, edge: Annotated[Edge, may("read_prices")]) -> PriceVersionView:
    return price_version_in_force(edge.session, on=on)


@routes.get(
    "/price-versions/{version_id}/difference", summary="What a version changes against the one it follows [R56]"
)
def read_price_difference(version_id: UUID, edge: Annotated[Edge, may("read_prices")]) -> PriceDifferenceView:
    return price_difference(edge.session, version_id)
