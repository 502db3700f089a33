"""The visit, from the desk to its end [R45, R58-R62, R64-R67, R101]."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import StrictBool

from services.dispatch.actions import visit
from services.dispatch.api.may import may
from services.dispatch.queries.work_orders import WorkOrderView, work_order_by_id
from shared.web import Body, Edge, Words

routes = APIRouter(tags=["visits"])


class StopWork(Body):
    """Why the worker cannot go on, and whether it is for safety [R67]."""

    reason: Words
    for_safety: bool


class Terminate(Body):
    """Why the job ends undone [R62, D24]."""

    cause: Literal["unable", "safety", "owner"]
    reason: Words


class CheckMaterials(Body):
    """Whether the owner has all that is needed (or nothing is), bought by himself [R58]."""

    complete: StrictBool
    note: Words | None = None


class TellOwner(Body):
    """What the owner was asked, or told of a difficulty, and what he said [R60, R61, R65]."""

    kind: Literal["asked", "told"]
    note: Words


@routes.post("/work-orders/{work_order_id}/check-in", summary="At the desk, to go with the owner [R45, R99]")
def check_in(work_order_id: UUID, edge: Annotated[Edge, may("check_in")]) -> WorkOrderView:
    visit.check_in(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/arrive", summary="At the home, duties done: the work starts [R50, R101]")
def arrive(work_order_id: UUID, edge: Annotated[Edge, may("arrive")]) -> WorkOrderView:
    visit.arrive(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/check-materials", summary="Whether the owner has bought all [R58, R59]")
def check_materials(
    work_order_id: UUID, body: CheckMaterials, edge: Annotated[Edge, may("check_materials")]
) -> WorkOrderView:
    def act() -> WorkOrderView:
        visit.check_materials(
            edge.session,
            work_order_id=work_order_id,
            complete=body.complete,
            note=body.note,
            actor=edge.actor,
            now=edge.now,
        )
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@routes.post("/work-orders/{work_order_id}/tell-owner", summary="Ask the owner, or tell him of a difficulty [R61, R65]")
def tell_owner(work_order_id: UUID, body: TellOwner, edge: Annotated[Edge, may("tell_owner")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        visit.tell_owner(
            edge.session,
            work_order_id=work_order_id,
            kind=body.kind,
            note=body.note,
            actor=edge.actor,
            now=edge.now,
        )
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@routes.post("/work-orders/{work_order_id}/stop", summary="Ask for support, or stop for safety [R66, R67]")
def stop(work_order_id: UUID, body: StopWork, edge: Annotated[Edge, may("stop")]) -> WorkOrderView:
    visit.stop(
        edge.session,
        work_order_id=work_order_id,
        reason=body.reason,
        for_safety=body.for_safety,
        actor=edge.actor,
        now=edge.now,
    )
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/resume", summary="Support was sent: the work goes on [R67]")
def resume(work_order_id: UUID, edge: Annotated[Edge, may("resume")]) -> WorkOrderView:
    visit.resume(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/finish", summary="The work is done and can be checked [R31]")
def finish(work_order_id: UUID, edge: Annotated[Edge, may("finish")]) -> WorkOrderView:
    visit.finish(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return work_order_by_id(edge.session, edge.actor, work_order_id)


@routes.post("/work-orders/{work_order_id}/terminate", summary="The job ends undone; nothing is billed [R62, R67, D24]")
def terminate(work_order_id: UUID, body: Terminate, edge: Annotated[Edge, may("terminate")]) -> WorkOrderView:
    visit.terminate(
        edge.session,
        work_order_id=work_order_id,
        cause=body.cause,
        reason=body.reason,
        actor=edge.actor,
        now=edge.now,
    )
    return work_order_by_id(edge.session, edge.actor, work_order_id)
