"""The departments' JSON API: one action for each route; money in fen, moments with a zone."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from services.dispatch import queries
from services.dispatch.actions import acceptance, consultation, duty, team, visit, work_order
from services.dispatch.queries import ColleagueView, ConsultationView, DutyDoneView, DutyView, WorkOrderView
from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.access import MAY
from services.dispatch.rules.team import MAX_WEIGHT, MAX_WORKERS, Member
from services.dispatch.rules.work_order import WorkState
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Short, Words, permissions

api = APIRouter(prefix="/api", tags=["dispatch"])
may = permissions("dispatch", MAY)


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


class Accept(Body):
    """The signature under the notice [R32]; when nobody can sign, the reason and a second witness [D23]."""

    signer_name: Short
    relation: Relation
    signature: Annotated[str, StringConstraints(min_length=1, max_length=20000)] = Field(
        description="an SVG drawing or the name as typed"
    )
    witness_name: Short | None = None
    reason: Words | None = None


class StopWork(Body):
    """Why the worker cannot go on, and whether it is for safety [R67]."""

    reason: Words
    for_safety: bool


class Terminate(Body):
    """Why the job ends undone [R62, D24]."""

    cause: Literal["unable", "safety", "owner"]
    reason: Words


class Answer(Body):
    """What the department says."""

    answer: Words


@api.get("/work-orders", summary="Work orders in order of receipt [R27]")
def list_work_orders(
    edge: Annotated[Edge, may("read_work_orders")],
    state: WorkState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[WorkOrderView]:
    return queries.work_orders(edge.session, edge.actor, state=state, after=after, limit=limit)


@api.get("/work-orders/{work_order_id}", summary="One work order, whole")
def read_work_order(work_order_id: UUID, edge: Annotated[Edge, may("read_work_orders")]) -> WorkOrderView:
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/acknowledge", summary="The department has its copy [R29, R99]")
def acknowledge(work_order_id: UUID, edge: Annotated[Edge, may("acknowledge")]) -> WorkOrderView:
    work_order.acknowledge(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/assign", summary="Choose who goes, or choose anew [R30, D15]")
def assign(work_order_id: UUID, body: Assign, edge: Annotated[Edge, may("assign")]) -> WorkOrderView:
    members = [Member(worker.person_id, worker.weight) for worker in body.workers]
    team.assign(edge.session, work_order_id=work_order_id, members=members, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/override", summary="Let a worker go with his duties undone [R50, D8]")
def override_duty(
    work_order_id: UUID, body: OverrideDuty, edge: Annotated[Edge, may("override_duty")]
) -> WorkOrderView:
    team.override_duty(
        edge.session,
        work_order_id=work_order_id,
        worker_id=body.worker_id,
        reason=body.reason,
        actor=edge.actor,
        now=edge.now,
    )
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/check-in", summary="At the desk, to go with the owner [R45, R99]")
def check_in(work_order_id: UUID, edge: Annotated[Edge, may("check_in")]) -> WorkOrderView:
    visit.check_in(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/arrive", summary="At the home, duties done: the work starts [R50, R101]")
def arrive(work_order_id: UUID, edge: Annotated[Edge, may("arrive")]) -> WorkOrderView:
    visit.arrive(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/stop", summary="Ask for support, or stop for safety [R66, R67]")
def stop(work_order_id: UUID, body: StopWork, edge: Annotated[Edge, may("stop")]) -> WorkOrderView:
    visit.stop(
        edge.session,
        work_order_id=work_order_id,
        reason=body.reason,
        for_safety=body.for_safety,
        actor=edge.actor,
        now=edge.now,
    )
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/resume", summary="Support was sent: the work goes on [R67]")
def resume(work_order_id: UUID, edge: Annotated[Edge, may("resume")]) -> WorkOrderView:
    visit.resume(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/finish", summary="The work is done and can be checked [R31]")
def finish(work_order_id: UUID, edge: Annotated[Edge, may("finish")]) -> WorkOrderView:
    visit.finish(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/accept", summary="Owner or occupant signs [R31, R32, D23]")
def accept(work_order_id: UUID, body: Accept, edge: Annotated[Edge, may("accept")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        acceptance.accept(
            edge.session,
            work_order_id=work_order_id,
            signer_name=body.signer_name,
            relation=body.relation,
            signature=body.signature,
            witness_name=body.witness_name,
            reason=body.reason,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@api.post("/work-orders/{work_order_id}/terminate", summary="The job ends undone; nothing is billed [R62, R67, D24]")
def terminate(work_order_id: UUID, body: Terminate, edge: Annotated[Edge, may("terminate")]) -> WorkOrderView:
    visit.terminate(
        edge.session,
        work_order_id=work_order_id,
        cause=body.cause,
        reason=body.reason,
        actor=edge.actor,
        now=edge.now,
    )
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/duties/done", summary="The worker's duties of today are done [R50, D8]")
def mark_duties_done(edge: Annotated[Edge, may("mark_duties_done")]) -> DutyDoneView:
    done = duty.mark_done(edge.session, actor=edge.actor, now=edge.now)
    return DutyDoneView(done.person_id, done.day, done.done_at)


@api.get("/duties", summary="The department's workers, with their duties of a day done or not [R50]")
def list_duties(edge: Annotated[Edge, may("read_duties")], day: date | None = None) -> list[DutyView]:
    return queries.duties(edge.session, edge.actor, day=day, now=edge.now)


@api.get("/consultations", summary="Questions of the desk; `open=true` are those without answer [R19, R23]")
def list_consultations(
    edge: Annotated[Edge, may("read_consultations")],
    unanswered: Annotated[bool | None, Query(alias="open")] = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[ConsultationView]:
    return queries.consultations(edge.session, edge.actor, unanswered=unanswered, after=after, limit=limit)


@api.post("/consultations/{consultation_id}/answer", summary="The department's answer [R19, R23]")
def answer_consultation(
    consultation_id: UUID, body: Answer, edge: Annotated[Edge, may("answer_consultation")]
) -> ConsultationView:
    answered = consultation.answer(
        edge.session, consultation_id=consultation_id, answer=body.answer, actor=edge.actor, now=edge.now
    )
    return queries.consultation_view(answered)


@api.get("/workers", summary="Who is free to be sent [R30, R50]")
def list_workers(edge: Annotated[Edge, may("read_workers")]) -> list[ColleagueView]:
    return queries.workers(edge.session, edge.actor, now=edge.now)
