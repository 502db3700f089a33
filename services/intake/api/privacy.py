"""An owner's personal data: his number in full, what is held of him, and its erasure [D26].

Neither is once for a key: the stored answer would hold what is personal, and each showing is an act of its own.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import StringConstraints, model_validator

from services.intake.actions import privacy
from services.intake.api.may import may
from services.intake.queries.privacy import OwnersRequest, held_of, requests_of_owner
from shared.privacy_routes import OwnersRequests, PhoneView
from shared.web import Body, Edge, Reason

routes = APIRouter(tags=["privacy"])

Look = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class FindOwner(Body):
    """By his number, by his home, or both."""

    phone: Look = ""
    address: Look = ""

    @model_validator(mode="after")
    def _says_something(self) -> "FindOwner":
        if not self.phone and not self.address:
            raise ValueError("send phone or address")
        return self


@routes.post("/requests/{request_id}/phone/reveal", summary="The owner's number in full, while open; noted [D26]")
def reveal_phone(request_id: UUID, body: Reason, edge: Annotated[Edge, may("reveal_phone")]) -> PhoneView:
    found = privacy.reveal(edge.session, request_id=request_id, reason=body.reason, actor=edge.actor, now=edge.now)
    return PhoneView(found.phone)


@routes.post("/owners/find", summary="Every request of an owner, by his number or his home [D26]")
def find_owner(body: FindOwner, edge: Annotated[Edge, may("handle_personal_data")]) -> list[OwnersRequest]:
    return requests_of_owner(edge.session, edge.actor, phone=body.phone, address=body.address)


@routes.post("/owners/export", summary="All that is held here of these requests, in full; noted [D26]")
def export_owner(body: OwnersRequests, edge: Annotated[Edge, may("handle_personal_data")]) -> list[dict[str, Any]]:
    privacy.export(edge.session, request_ids=body.request_ids, reason=body.reason, actor=edge.actor, now=edge.now)
    return held_of(edge.session, body.request_ids)


@routes.post("/owners/erase", summary="Erase what is personal of these ended requests, here and in every copy [D26]")
def erase_owner(body: OwnersRequests, edge: Annotated[Edge, may("handle_personal_data")]) -> list[UUID]:
    return privacy.erase(edge.session, request_ids=body.request_ids, reason=body.reason, actor=edge.actor, now=edge.now)
