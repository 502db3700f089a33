"""Overrides of duty first, as heard."""

from typing import Annotated

from fastapi import APIRouter

from services.hr.api.may import may
from services.hr.queries.overrides import OverrideView, overrides
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["overrides"])


@routes.get("/overrides", summary="Overrides of duty first, which a case of neglect cites [D8, R78]")
def list_overrides(
    edge: Annotated[Edge, may("read_overrides")], after: After = None, limit: Limit = 100
) -> Page[OverrideView]:
    return overrides(edge.session, edge.actor, after=after, limit=limit)
