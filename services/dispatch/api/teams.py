"""Who is free, who might go and who is sent [R30, R50, D8, D15]."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.dispatch.actions import team
from services.dispatch.api.may import may
from services.dispatch.queries.teams import CandidateView, ColleagueView, candidates, workers
from services.dispatch.queries.work_orders import WorkOrderView, work_order_by_id
from services.dispatch.rules.team import MAX_WEIGHT, MAX_WORKERS, Member
from shared.web import Body, Edge, Words

routes = APIRouter(tags=["teams"])


class TeamMember(Body):
    """A worker to be sent, and his weight in the workers' share [D15]."""

    person_id: UUID
    weight: int = Field(default=1, ge=1, le=MAX_WEIGHT)


class Assign(Body):
    """Who goes [R30]."""

    workers: list[TeamMember] = Field(min_length=1, max_length=MAX_WORKERS)


class OverrideDuty(Body):
    """Which worker may go with his duties undone, and why [D8]."""

    worker_id: UUID
    reason: Words


@routes.get("/work-orders/{work_order_id}/candidates", summary="Who might be sent, the best first [R30, R50, R60, R66]")
def list_candidates(work_order_id: UUID, edge: Annotated[Edge, may("read_candidates")]) -> list[CandidateView]:
    return candidates(edge.session, edge.actor, work_order_id, now=edge.now)


@routes.post("/work-orders/{work_order_id}/assign", summary="Choose who goes, or choose anew [R30, D15]")
def assign(work_order_id: UUID, body: Assign, edge: Annotated[Edge, may("assign")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        members = [Member(worker.person_id, worker.weight) for worker in body.workers]
        team.assign(edge.session, work_order_id=work_order_id, members=members, actor=edge.actor, now=edge.now)
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@routes.post("/work-orders/{work_order_id}/override", summary="Let a worker go with his duties undone [R50, D8]")
def override_duty(
    work_order_id: UUID, body: OverrideDuty, edge: Annotated[Edge, may("override_duty")]
) -> WorkOrderView:
    def act() -> WorkOrderView:
        team.override_duty(
            edge.session,
            work_order_id=work_order_id,
            worker_id=body.worker_id,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@routes.get("/workers", summary="Who is free to be sent [R30, R50]")
def list_workers(edge: Annotated[Edge, may("read_workers")]) -> list[ColleagueView]:
    return workers(edge.session, edge.actor, now=edge.now)
