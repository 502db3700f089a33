"""The settlement list, and the signature under it [R31, R32, D23]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from services.dispatch.actions import acceptance
from services.dispatch.api.may import may
from services.dispatch.queries.acceptances import SettlementListView, settlement_list_by_id
from services.dispatch.queries.work_orders import WorkOrderView, work_order_by_id
from services.dispatch.rules.acceptance import Relation
from shared.web import Body, Edge, Short, Words

routes = APIRouter(tags=["acceptances"])


ShownHash = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]

Drawn = Annotated[str, StringConstraints(min_length=1, max_length=20000)]


class Accept(Body):
    """The signature under the notice [R32]; when nobody can sign, the reason and a second witness [D23]."""

    shown_hash: ShownHash = Field(description="`hash` of the settlement list the owner was shown")
    signer_name: Short
    relation: Relation
    signature: Drawn = Field(description="an SVG drawing or the name as typed")
    witness_name: Short | None = None
    reason: Words | None = None


@routes.get(
    "/work-orders/{work_order_id}/settlement-list", summary="What the owner is shown before he signs [R32, D23]"
)
def read_settlement_list(work_order_id: UUID, edge: Annotated[Edge, may("read_work_orders")]) -> SettlementListView:
    return settlement_list_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/accept", summary="Owner or occupant signs [R31, R32, D23]")
def accept(work_order_id: UUID, body: Accept, edge: Annotated[Edge, may("accept")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        acceptance.accept(
            edge.session,
            work_order_id=work_order_id,
            shown_hash=body.shown_hash,
            signer_name=body.signer_name,
            relation=body.relation,
            signature=body.signature,
            witness_name=body.witness_name,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)
