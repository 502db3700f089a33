"""The departments' JSON API: one action for each route; money in fen, moments with a zone."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool, StringConstraints

from services.dispatch import queries
from services.dispatch.actions import acceptance, consultation, duty, neglect, team, visit, work_order
from services.dispatch.queries import (
    CandidateView,
    ColleagueView,
    ConsultationView,
    DutyDoneView,
    DutyView,
    HoursView,
    MyDutiesView,
    NeglectView,
    PrescribedDutyView,
    SettlementListView,
    WorkOrderView,
)
from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.access import MAY
from services.dispatch.rules.team import MAX_WEIGHT, MAX_WORKERS, Member
from services.dispatch.rules.work_order import WorkState
from shared.money import PositiveFen
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, MonthName, Reason, Short, Words, permissions

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

    shown_hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] = Field(
        description="`hash` of the settlement list the owner was shown"
    )
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


class CheckMaterials(Body):
    """Whether the owner has all that is needed (or nothing is), bought by himself [R58]."""

    complete: StrictBool
    note: Words | None = None


class TellOwner(Body):
    """What the owner was asked, or told of a difficulty, and what he said [R60, R61, R65]."""

    kind: Literal["asked", "told"]
    note: Words


class ReportDamage(Body):
    """What was damaged, and its worth as far as it is known (fen) [R63]."""

    description: Words
    estimate_fen: PositiveFen | None = None


class PrescribeDuty(Body):
    """Regular work at a site: of all the head's workers there, of those of a shift, or of one person [R3, R50]."""

    site_id: UUID
    name: Short
    person_id: UUID | None = None
    shift: Literal["day", "night"] | None = None


class CheckDay(Body):
    """What the head found of a worker's duties of a day; a note where it was not good [R50]."""

    person_id: UUID
    day: date
    good: StrictBool
    note: Words | None = None


class FindNeglect(Body):
    """Whose regular work of a day was left undone for paid work, and the override that let him, if any [R78]."""

    worker_id: UUID
    day: date
    reason: Words
    override_id: UUID | None = None


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


@api.post("/work-orders/{work_order_id}/decline", summary="The department refuses the notice, and says why [D27]")
def decline(work_order_id: UUID, body: Reason, edge: Annotated[Edge, may("decline")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        work_order.decline(
            edge.session, work_order_id=work_order_id, reason=body.reason, actor=edge.actor, now=edge.now
        )
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@api.post("/work-orders/{work_order_id}/return", summary="The notice is back at the desk after the job [R101, D27]")
def return_notice(work_order_id: UUID, edge: Annotated[Edge, may("return_notice")]) -> WorkOrderView:
    def act() -> WorkOrderView:
        work_order.return_notice(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(None, act)


@api.get("/work-orders/{work_order_id}/candidates", summary="Who might be sent, the best first [R30, R50, R60, R66]")
def list_candidates(work_order_id: UUID, edge: Annotated[Edge, may("read_candidates")]) -> list[CandidateView]:
    return queries.candidates(edge.session, edge.actor, work_order_id, now=edge.now)


@api.get("/work-orders/{work_order_id}/settlement-list", summary="What the owner is shown before he signs [R32, D23]")
def read_settlement_list(work_order_id: UUID, edge: Annotated[Edge, may("read_work_orders")]) -> SettlementListView:
    return queries.settlement_list_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/assign", summary="Choose who goes, or choose anew [R30, D15]")
def assign(work_order_id: UUID, body: Assign, edge: Annotated[Edge, may("assign")]) -> WorkOrderView:
    members = [Member(worker.person_id, worker.weight) for worker in body.workers]
    team.assign(edge.session, work_order_id=work_order_id, members=members, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/override", summary="Let a worker go with his duties undone [R50, D8]")
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
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@api.post("/work-orders/{work_order_id}/check-in", summary="At the desk, to go with the owner [R45, R99]")
def check_in(work_order_id: UUID, edge: Annotated[Edge, may("check_in")]) -> WorkOrderView:
    visit.check_in(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/arrive", summary="At the home, duties done: the work starts [R50, R101]")
def arrive(work_order_id: UUID, edge: Annotated[Edge, may("arrive")]) -> WorkOrderView:
    visit.arrive(edge.session, work_order_id=work_order_id, actor=edge.actor, now=edge.now)
    return queries.work_order_by_id(edge.session, edge.actor, work_order_id)


@api.post("/work-orders/{work_order_id}/check-materials", summary="Whether the owner has bought all [R58, R59]")
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
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@api.post("/work-orders/{work_order_id}/tell-owner", summary="Ask the owner, or tell him of a difficulty [R61, R65]")
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
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


@api.post("/work-orders/{work_order_id}/damage", summary="Something of the owner's was damaged [R63, D24]")
def report_damage(
    work_order_id: UUID, body: ReportDamage, edge: Annotated[Edge, may("report_damage")]
) -> WorkOrderView:
    def act() -> WorkOrderView:
        visit.report_damage(
            edge.session,
            work_order_id=work_order_id,
            description=body.description,
            estimate_fen=body.estimate_fen,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.work_order_by_id(edge.session, edge.actor, work_order_id)

    return edge.once(body, act)


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
            shown_hash=body.shown_hash,
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


@api.post("/duties", status_code=201, summary="Prescribe regular work from today on [R3, R50]")
def prescribe_duty(body: PrescribeDuty, edge: Annotated[Edge, may("prescribe_duty")]) -> PrescribedDutyView:
    def act() -> PrescribedDutyView:
        made = duty.prescribe(
            edge.session,
            site_id=body.site_id,
            name=body.name,
            person_id=body.person_id,
            shift=body.shift,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.prescribed_duty_view(made)

    return edge.once(body, act)


@api.get("/duties/prescribed", summary="The regular work prescribed now [R3, R50]")
def list_prescribed(
    edge: Annotated[Edge, may("read_prescribed")], after: After = None, limit: Limit = 100
) -> Page[PrescribedDutyView]:
    return queries.prescribed_duties(edge.session, edge.actor, after=after, limit=limit)


@api.get("/duties/mine", summary="The worker's duties of today [R50]")
def list_own_duties(edge: Annotated[Edge, may("read_own_duties")]) -> MyDutiesView:
    return queries.duties_mine(edge.session, edge.actor, now=edge.now)


@api.post("/duties/{duty_id}/retire", summary="From today on nobody has to do it any more")
def retire_duty(duty_id: UUID, edge: Annotated[Edge, may("retire_duty")]) -> PrescribedDutyView:
    def act() -> PrescribedDutyView:
        return queries.prescribed_duty_view(duty.retire(edge.session, duty_id=duty_id, actor=edge.actor, now=edge.now))

    return edge.once(None, act)


@api.post("/duties/{duty_id}/tick", summary="The worker did one of his duties of today [R50]")
def tick_duty(duty_id: UUID, edge: Annotated[Edge, may("tick_duty")]) -> MyDutiesView:
    def act() -> MyDutiesView:
        duty.tick(edge.session, duty_id=duty_id, actor=edge.actor, now=edge.now)
        return queries.duties_mine(edge.session, edge.actor, now=edge.now)

    return edge.once(None, act)


@api.post("/duty-days/check", summary="What the head found of a worker's day: good, or not done well [R50]")
def check_day(body: CheckDay, edge: Annotated[Edge, may("check_day")]) -> DutyView:
    def act() -> DutyView:
        person = duty.check_day(
            edge.session,
            person_id=body.person_id,
            day=body.day,
            good=body.good,
            note=body.note,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.duty_by_day(edge.session, person, body.day)

    return edge.once(body, act)


@api.post("/duty-days/neglect", status_code=201, summary="Regular work was left undone for paid work [R51, R78]")
def find_neglect(body: FindNeglect, edge: Annotated[Edge, may("find_neglect")]) -> NeglectView:
    def act() -> NeglectView:
        found = neglect.find(
            edge.session,
            worker_id=body.worker_id,
            day=body.day,
            reason=body.reason,
            override_id=body.override_id,
            actor=edge.actor,
            now=edge.now,
        )
        return queries.neglect_view(found)

    return edge.once(body, act)


@api.get("/hours", summary="What each worker did in paid visits of a month, against the limit [R68]")
def list_hours(edge: Annotated[Edge, may("read_hours")], month: MonthName) -> list[HoursView]:
    return queries.hours(edge.session, edge.actor, month=month, now=edge.now)


@api.post("/duties/done", summary="Where nothing is prescribed: today's regular work is done [R50, D8]")
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
