"""Damage done on visits [R63, R74]."""

from typing import Annotated

from fastapi import APIRouter

from services.finance.api.may import may
from services.finance.queries.damages import DamageView, damages
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["damages"])


@routes.get("/damages", summary="Damage reported on visits [R63, R74]")
def list_damages(
    edge: Annotated[Edge, may("read_damages")], after: After = None, limit: Limit = 100
) -> Page[DamageView]:
    return damages(edge.session, edge.actor, after=after, limit=limit)
