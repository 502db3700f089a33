"""Homes as earlier requests know them [R13-R15]."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from services.intake.api.may import may
from services.intake.queries.homes import HomeView, homes
from shared.errors import Malformed
from shared.web import Body, Edge

routes = APIRouter(tags=["homes"])


class FindHomes(Body):
    """What the owner says on the phone; sent in the body, for addresses of pages are written down on the way [D26]."""

    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    room: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


@routes.post("/homes/find", summary="A home by phone number, else by room, with its requests [R13-R15]")
def find_homes(body: FindHomes, edge: Annotated[Edge, may("find_home")]) -> list[HomeView]:
    if not body.phone and not body.room:
        raise Malformed("phone_or_room", "send phone or room", rule="R15")
    return homes(edge.session, edge.actor, phone=body.phone, room=body.room)
