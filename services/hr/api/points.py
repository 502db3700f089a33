"""Appraisal points, where a site takes points instead of money."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.hr.api.fields import Month
from services.hr.api.may import may
from services.hr.queries.points import PointsView, points
from shared.web import Edge

routes = APIRouter(tags=["points"])


@routes.get("/points", summary="Appraisal points, where a site takes points instead of money [R43, D19]")
def list_points(
    edge: Annotated[Edge, may("read_points")], person_id: UUID | None = None, month: Month = None
) -> list[PointsView]:
    return points(edge.session, edge.actor, person_id=person_id, month=month)
