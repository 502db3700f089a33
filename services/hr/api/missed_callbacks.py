"""Missed callbacks, as heard."""

from typing import Annotated

from fastapi import APIRouter

from services.hr.api.may import may
from services.hr.queries.missed_callbacks import MissedCallbackView, missed_callbacks
from shared.paging import Page
from shared.web import After, Edge, Limit

routes = APIRouter(tags=["missed callbacks"])


@routes.get("/missed-callbacks", summary="Owners who were not called back in time [R48, D3]")
def list_missed_callbacks(
    edge: Annotated[Edge, may("read_missed_callbacks")], after: After = None, limit: Limit = 100
) -> Page[MissedCallbackView]:
    return missed_callbacks(edge.session, edge.actor, after=after, limit=limit)
