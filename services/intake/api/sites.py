"""The sites of the person asking."""

from typing import Annotated

from fastapi import APIRouter

from services.intake.api.may import may
from services.intake.queries.sites import SiteView, sites
from shared.web import Edge

routes = APIRouter(tags=["sites"])


@routes.get("/sites", summary="The person's sites")
def list_sites(edge: Annotated[Edge, may("read_sites")]) -> list[SiteView]:
    return sites(edge.session, edge.actor)
