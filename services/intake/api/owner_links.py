"""The link to an owner's own page, for whoever hands it to him [R17, R37, D26]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.intake.actions import owner
from services.intake.api.may import may
from services.intake.queries.owner import OwnerLinkView, owner_link
from shared.web import Edge

routes = APIRouter(tags=["owner_links"])


@routes.get("/requests/{request_id}/owner-link", summary="The link to the owner's own page, and what he did there")
def read_owner_link(request_id: UUID, edge: Annotated[Edge, may("read_owner_link")]) -> OwnerLinkView:
    return owner_link(edge.session, edge.actor, request_id, now=edge.now)


@routes.post("/requests/{request_id}/owner-link", summary="Another link: the one before opens nothing any more")
def renew_owner_link(request_id: UUID, edge: Annotated[Edge, may("renew_owner_link")]) -> OwnerLinkView:
    def act() -> OwnerLinkView:
        owner.renew_link(edge.session, request_id=request_id, actor=edge.actor, now=edge.now)
        return owner_link(edge.session, edge.actor, request_id, now=edge.now)

    return edge.once(None, act)
