"""Prescribed duties, how a worker did them, and what his head found [R3, R50]."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import StrictBool

from services.dispatch.actions import duty
from services.dispatch.api.may import may
from services.dispatch.queries.duties import (
    DutyDoneView,
    DutyView,
    MyDutiesView,
    PrescribedDutyView,
    duties,
    duties_mine,
    duty_by_day,
    prescribed_duties,
    prescribed_duty_view,
)
from shared.paging import Page
from shared.web import After, Body, Day, Edge, Limit, Short, Words

routes = APIRouter(tags=["duties"])


class PrescribeDuty(Body):
    """Regular work at a site: of all the head's workers there, of those of a shift, or of one person [R3, R50]."""

    site_id: UUID
    name: Short
    person_id: UUID | None = None
    shift: Literal["day", "night"] | None = None


class CheckDay(Body):
    """What the head found of a worker's duties of a day; a note where it was not good [R50]."""

    person_id: UUID
    day: Day
    good: StrictBool
    note: Words | None = None


@routes.post("/duties", status_code=201, summary="Prescribe regular work from today on [R3, R50]")
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
        return prescribed_duty_view(made)

    return edge.once(body, act)


@routes.get("/duties/prescribed", summary="The regular work prescribed now [R3, R50]")
def list_prescribed(
    edge: Annotated[Edge, may("read_prescribed")], after: After = None, limit: Limit = 100
) -> Page[PrescribedDutyView]:
    return prescribed_duties(edge.session, edge.actor, after=after, limit=limit)


@routes.get("/duties/mine", summary="The worker's duties of today [R50]")
def list_own_duties(edge: Annotated[Edge, may("read_own_duties")]) -> MyDutiesView:
    return duties_mine(edge.session, edge.actor, now=edge.now)


@routes.post("/duties/{duty_id}/retire", summary="From today on nobody has to do it any more")
def retire_duty(duty_id: UUID, edge: Annotated[Edge, may("retire_duty")]) -> PrescribedDutyView:
    def act() -> PrescribedDutyView:
        return prescribed_duty_view(duty.retire(edge.session, duty_id=duty_id, actor=edge.actor, now=edge.now))

    return edge.once(None, act)


@routes.post("/duties/{duty_id}/tick", summary="The worker did one of his duties of today [R50]")
def tick_duty(duty_id: UUID, edge: Annotated[Edge, may("tick_duty")]) -> MyDutiesView:
    def act() -> MyDutiesView:
        duty.tick(edge.session, duty_id=duty_id, actor=edge.actor, now=edge.now)
        return duties_mine(edge.session, edge.actor, now=edge.now)

    return edge.once(None, act)


@routes.post("/duty-days/check", summary="What the head found of a worker's day: good, or not done well [R50]")
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
        return duty_by_day(edge.session, person, body.day)

    return edge.once(body, act)


@routes.post("/duties/done", summary="Where nothing is prescribed: today's regular work is done [R50, D8]")
def mark_duties_done(edge: Annotated[Edge, may("mark_duties_done")]) -> DutyDoneView:
    done = duty.mark_done(edge.session, actor=edge.actor, now=edge.now)
    return DutyDoneView(done.person_id, done.day, done.done_at)


@routes.get("/duties", summary="The department's workers, with their duties of a day done or not [R50]")
def list_duties(edge: Annotated[Edge, may("read_duties")], day: Day | None = None) -> list[DutyView]:
    return duties(edge.session, edge.actor, day=day, now=edge.now)
