"""Homes as earlier requests know them [R13-R15]."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.intake.api.may import may
from services.intake.queries.homes import HomeView, homes
from shared.errors import Malformed
from shared.web import Edge

routes = APIRouter(tags=["homes"])


@routes.get("/homes", summary="A home by phone number, else by room, with its requests [R13-R15]")
def find_homes(
    edge: Annotated[Edge, may("read_requests")],
    phone: Annotated[str, Query(max_length=40)] = "",
    room: Annotated[str, Query(max_length=200)] = "",
) -> list[HomeView]:
    if not phone.strip() and not room.strip():
        raise Malformed("phone_or_room", "send phone or room", rule="R15")
    return homes(edge.session, edge.actor, phone=phone, room=room)
