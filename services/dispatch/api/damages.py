"""Damage on a visit [R63, D24]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.dispatch.actions import damage
from services.dispatch.api.may import may
from services.dispatch.queries.work_orders import WorkOrderView, work_order_by_id
from shared.money import PositiveFen
from shared.web import Body, Edge, Words

routes = APIRouter(tags=["damages"])


class ReportDamage(Body):
    """What was damaged, and its worth as far as it is known (fen) [R63]."""

    description: Words
    estimate_fen: PositiveFen | None = None


@routes.post("/work-orders/{work_order_id}/damage", summary="Something of the owner's was damaged [R63, D24]")
def report_damage(
    work_order_id: UUID, body: ReportDamage, edge: Annotated[Edge, may("report_damage")]
) -> WorkOrderView:
    def act() -> WorkOrderView:
        damage.report(
            edge.session,
            work_order_id=work_order_id,
            description=body.description,
            estimate_fen=body.estimate_fen,
            actor=edge.actor,
            now=edge.now,
        )
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)
