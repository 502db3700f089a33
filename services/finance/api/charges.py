"""Charges, finance's copies of the notices [R26, R33]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.finance.actions import charge
from services.finance.api.may import may
from services.finance.queries.charges import ChargeView, NoticesReceivedView, charge_by_id, charges
from services.finance.rules.charge import ChargeState
from shared.paging import Page
from shared.web import After, Body, Edge, Limit

routes = APIRouter(tags=["charges"])


class ReceiveNotices(Body):
    """The site whose notices finance takes in."""

    site_id: UUID


@routes.get("/charges", summary="Charges in order of registration [R26, R33]")
def list_charges(
    edge: Annotated[Edge, may("read_charges")],
    state: ChargeState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ChargeView]:
    return charges(edge.session, edge.actor, state=state, after=after, limit=limit)


@routes.get("/charges/{request_id}", summary="One charge [R33]")
def read_charge(request_id: UUID, edge: Annotated[Edge, may("read_charges")]) -> ChargeView:
    return charge_by_id(edge.session, edge.actor, request_id)


@routes.post("/charges/receive", summary="Take in finance's copies of a site's notices [R26]")
def receive_notices(body: ReceiveNotices, edge: Annotated[Edge, may("receive_notices")]) -> NoticesReceivedView:
    def act() -> NoticesReceivedView:
        received = charge.receive(edge.session, site_id=body.site_id, actor=edge.actor, now=edge.now)
        return NoticesReceivedView(body.site_id, received, edge.actor.person_id, edge.now)

    return edge.once(body, act)
