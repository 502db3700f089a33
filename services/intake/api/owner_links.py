"""The link to an owner's own page, for whoever hands it to him, and the times he may choose there [R17, R37, D26]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from services.intake.actions import link, owner
from services.intake.api.may import may
from services.intake.queries.owner import OwnerLinkView, owner_link
from services.intake.rules.owner import SLOTS
from shared.sessions import is_plain
from shared.settings import settings
from shared.web import Body, Edge, Moment

routes = APIRouter(tags=["owner_links"])


def owner_page_address(request: Request) -> str:
    """Where an owner's page is, without his secret: under the address people use, or the one that was asked now."""
    asked = f"{'http' if is_plain(request) else 'https'}://{request.url.netloc}"
    return f"{settings().public_url.rstrip('/') or asked}/intake/o"


class Slot(Body):
    """A time at which the department can come."""

    start: Moment
    end: Moment


class OfferTimes(Body):
    """The times an owner may take on his page instead of the agreed one; none takes the offer back."""

    slots: list[Slot] = Field(default=[], max_length=SLOTS)


@routes.get("/requests/{request_id}/owner-link", summary="The link to the owner's own page, and what he did there")
def read_owner_link(request_id: UUID, edge: Annotated[Edge, may("read_owner_link")]) -> OwnerLinkView:
    return owner_link(edge.session, edge.actor, request_id, now=edge.now)


@routes.post("/requests/{request_id}/owner-link", summary="Another link: the one before opens nothing any more")
def renew_owner_link(request_id: UUID, edge: Annotated[Edge, may("renew_owner_link")]) -> OwnerLinkView:
    def act() -> OwnerLinkView:
        link.renew_link(edge.session, request_id=request_id, actor=edge.actor, now=edge.now)
        return owner_link(edge.session, edge.actor, request_id, now=edge.now)

    return edge.once(None, act)


@routes.post("/requests/{request_id}/offer", summary="Offer the owner other times, one of which he may take [R17, R46]")
def offer_times(request_id: UUID, body: OfferTimes, edge: Annotated[Edge, may("offer_times")]) -> OwnerLinkView:
    def act() -> OwnerLinkView:
        slots = [(slot.start, slot.end) for slot in body.slots]
        owner.offer(edge.session, request_id=request_id, slots=slots, actor=edge.actor, now=edge.now)
        return owner_link(edge.session, edge.actor, request_id, now=edge.now)

    return edge.once(body, act)
