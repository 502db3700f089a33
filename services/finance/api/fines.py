"""Fines to be deducted [R93]."""

from typing import Annotated

from fastapi import APIRouter

from services.finance.api.may import may
from services.finance.queries.fines import FineView, fines
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["fines"])


@routes.get("/fines", summary="Fines to be deducted [R93]")
def list_fines(edge: Annotated[Edge, may("read_fines")], after: After = None, limit: Limit = 100) -> Page[FineView]:
    return fines(edge.session, edge.actor, after=after, limit=limit)
