"""Regular work found undone because of paid work [R51, R78]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.dispatch.actions import neglect
from services.dispatch.api.may import may
from services.dispatch.queries.neglects import NeglectView, neglect_view
from shared.web import Body, Day, Edge, Words

routes = APIRouter(tags=["neglects"])


class FindNeglect(Body):
    """Whose regular work of a day was left undone for paid work, and the override that let him, if any [R78]."""

    worker_id: UUID
    day: Day
    reason: Words
    override_id: UUID | None = None


@routes.post("/duty-days/neglect", status_code=201, summary="Regular work was left undone for paid work [R51, R78]")
def find_neglect(body: FindNeglect, edge: Annotated[Edge, may("find_neglect")]) -> NeglectView:
    def act() -> NeglectView:
        found = neglect.find(
            edge.session,
            worker_id=body.worker_id,
            day=body.day,
            reason=body.reason,
            override_id=body.override_id,
            actor=edge.actor,
            now=edge.now,
        )
        return neglect_view(found)

    return edge.once(body, act)
