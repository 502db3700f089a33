"""Work orders: read, acknowledged, declined, and the notice brought back [R27, R29, R99, R101, D27]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.dispatch.actions import work_order
from services.dispatch.api.may import may
from services.dispatch.queries.work_orders import WorkOrderView, work_order_by_id, work_orders
from services.dispatch.rules.work_order import WorkState
from shared.paging import Page
from shared.web import After, Edge, Limit, Reason

routes = APIRouter(tags=["work orders"])


@routes.get("/work-orders", summary="Work orders in order of receipt [R27]")
def list_work_orders(
    edge: Annotated[Edge, may("read_work_orders")],
    state: WorkState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[WorkOrderView]:
    return work_orders(edge.session, edge.actor, state=state, after=after, limit=limit)


@routes.get("/work-orders/{work_order_id}", summary="One work order, whole")
def read_work_order(work_order_id: UUID, edge: Annotated[Edge, may("read_work_orders")]) -> WorkOrderView:
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/acknowledge", summary="The department has its copy [R29, R99]")
def acknowledge(work_order_id: UUID, edge: Annotated[Edge, may("acknowledge")]) -> WorkOrderView:
    work_order.acknowledge(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/decline", summary="The department refuses the notice, and says why [D27]")
def decline(work_order_id: UUID, body: Reason, edge: Annotated[Edge, may("decline")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        work_order.decline(
            edge.session, work_order_id=work_order_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@routes.post("/work-orders/{work_order_id}/return", summary="The notice is back at the desk after the job [R101, D27]")
def return_notice(work_order_id: UUID, edge: Annotated[Edge, may("return_notice")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        work_order.return_notice(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(None, act)
