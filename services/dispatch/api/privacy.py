"""An owner's personal data: his number in full, and what is held of him [D26].

Neither is once for a key: the stored answer would hold what is personal, and each showing is an act of its own.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter

from services.dispatch.actions import privacy
from services.dispatch.api.may import may
from services.dispatch.queries.privacy import held_of
from shared.privacy_routes import OwnersRequests, PhoneView
from shared.web import Edge, Reason

routes = APIRouter(tags=["privacy"])


@routes.post("/work-orders/{work_order_id}/phone/reveal", summary="The owner's number in full, while open; noted [D26]")
def reveal_phone(work_order_id: UUID, body: Reason, edge: Annotated[Edge, may("reveal_phone")]) -> PhoneView:
    found = privacy.reveal(
        edge.session, work_order_id=work_order_id, reason=body.reason, actor=edge.actor, now=edge.now
    )
    return PhoneView(found.phone)


@routes.post("/owners/export", summary="All that is held here of these requests, in full; noted [D26]")
def export_owner(body: OwnersRequests, edge: Annotated[Edge, may("handle_personal_data")]) -> list[dict[str, Any]]:
    privacy.export(edge.session, request_ids=body.request_ids, reason=body.reason, actor=edge.actor, now=edge.now)
    return held_of(edge.session, edge.actor, body.request_ids)
