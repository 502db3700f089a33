"""Deliveries of payouts to the company's HR system."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.hr.actions import delivery
from services.hr.api.may import may
from services.hr.queries.deliveries import DeliveryPage, DeliveryView, deliveries, delivery_by_id
from services.hr.queries.reconciliations import ReconciliationView, reconciliation
from shared.web import Body, Day, Edge, Limit, Short

routes = APIRouter(tags=["deliveries"])


class AcknowledgeDelivery(Body):
    """The HR system's own reference for the delivery, if it has one."""

    reference: Short | None = None


@routes.get("/deliveries", summary="Payouts for the HR system, in order, with what they come to [R92-R94]")
def list_deliveries(
    edge: Annotated[Edge, may("read_deliveries")],
    after: Annotated[int, Query(ge=0, le=2**62, description="the last sequence number you have")] = 0,
    limit: Limit = 100,
) -> DeliveryPage:
    return deliveries(edge.session, edge.actor, after=after, limit=limit)


@routes.get(
    "/deliveries/reconciliation", summary="What was received, delivered and acknowledged on a day, in fen [R92]"
)
def reconcile_deliveries(day: Day, edge: Annotated[Edge, may("read_deliveries")]) -> ReconciliationView:
    return reconciliation(edge.session, edge.actor, day=day)


@routes.post("/deliveries/{delivery_id}/acknowledge", summary="The HR system has taken the delivery, once [R92]")
def acknowledge_delivery(
    delivery_id: UUID, body: AcknowledgeDelivery, edge: Annotated[Edge, may("acknowledge_delivery")]
) -> DeliveryView:
    def act() -> DeliveryView:
        delivery.acknowledge(
            edge.session, delivery_id=delivery_id, reference=body.reference, actor=edge.actor, now=edge.now
        )
        return delivery_by_id(edge.session, edge.actor, delivery_id)

    return edge.once(body, act)
