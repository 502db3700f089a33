"""An owner's personal data: what is held of him [D26].

Not once for a key: the stored answer would hold what is personal, and each showing is an act of its own.
"""

from typing import Annotated, Any

from fastapi import APIRouter

from services.hr.actions import privacy
from services.hr.api.may import may
from services.hr.queries.privacy import held_of
from shared.privacy_routes import OwnersRequests
from shared.web import Edge

routes = APIRouter(tags=["privacy"])


@routes.post("/owners/export", summary="All that is held here of these requests; noted [D26]")
def export_owner(body: OwnersRequests, edge: Annotated[Edge, may("handle_personal_data")]) -> list[dict[str, Any]]:
    privacy.export(edge.session, request_ids=body.request_ids, reason=body.reason, actor=edge.actor, now=edge.now)
    return held_of(edge.session, edge.actor, body.request_ids)
