"""Prescribed duties: the head prescribes them, a worker does them day by day, the head looks at them [R3, R50, D8]."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.dispatch.models import DutyCheck, DutyDay, DutyTick, Person, PrescribedDuty
from services.dispatch.queries.duties import duties_between, duties_mine, duty_today
from services.dispatch.queries.people import colleague, person_at_home, workers_of
from services.dispatch.rules.duty import check_finding, check_quality, check_statement
from services.dispatch.rules.team import may_work
from shared.calendar import local
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor, site_for


def prescribe(
    session: Session,
    *,
    site_id: UUID,
    name: str,
    person_id: UUID | None,
    shift: Literal["day", "night"] | None,
    actor: Actor,
    now: datetime,
) -> PrescribedDuty:
    """From today on this is regular work of the head's workers at a site: all, those of a shift, or one [R3, R50]."""
    site = site_for(session, actor, site_id)
    person = session.get(Person, person_id) if person_id else None
    if person_id and not (person and may_work(colleague(person), department=actor.department, site_id=site_id)):
        raise RuleBroken("not_a_worker_here", f"{person_id} is no active worker of yours at this site", rule="R50")
    # two who prescribe the same at once meet here; who comes second is told
    made = session.scalars(
        insert(PrescribedDuty)
        .values(
            id=new_id(),
            site_id=site_id,
            department=actor.department,
            name=name,
            person_id=person_id,
            shift=shift,
            since=local(now, site.zone).date(),
            prescribed_by=actor.person_id,
        )
        .on_conflict_do_nothing()
        .returning(PrescribedDuty)
    ).one_or_none()
    if made is None:
        raise RuleBroken(
            "prescribed_already", f"{name} is prescribed there already", rule="R50", allowed=["retire_duty"]
        )
    return made


def retire(session: Session, *, duty_id: UUID, actor: Actor, now: datetime) -> PrescribedDuty:
    """From today on nobody has to do this any more."""
    duty = session.get(PrescribedDuty, duty_id, with_for_update=True)
    if duty is None or not actor.sees(duty.site_id) or duty.department != actor.department:
        raise NotFound("duty", duty_id)
    if duty.until is not None:
        raise RuleBroken("retired_already", f"this duty ended on {duty.until}", rule="R50")
    duty.until = local(now, site_for(session, actor, duty.site_id).zone).date()
    duty.retired_by = actor.person_id
    return duty


def tick(session: Session, *, duty_id: UUID, actor: Actor, now: datetime) -> DutyTick:
    """The worker did one of his duties of today [R50]. Raises NotFound for what is not prescribed to him."""
    person, day = duty_today(session, actor, now=now)
    if duty_id not in {duty.duty_id for duty in duties_mine(session, actor, now=now).duties}:
        raise NotFound("duty of today", duty_id)
    ticked = session.scalars(
        insert(DutyTick)
        .values(person_id=person.id, day=day, duty_id=duty_id, ticked_at=now)
        .on_conflict_do_nothing()
        .returning(DutyTick)
    ).one_or_none()
    if ticked is None:
        raise RuleBroken("ticked_already", "this duty of today is done", rule="R50")
    return ticked


def mark_done(session: Session, *, actor: Actor, now: datetime) -> DutyDay:
    """A worker for whom nothing is prescribed says his work of the day is done; said again, the first time stands."""
    person, day = duty_today(session, actor, now=now)
    check_statement(duties_between(session, [person.id], first=day, last=day)[person.id][day])
    session.execute(insert(DutyDay).values(person_id=person.id, day=day, done_at=now).on_conflict_do_nothing())
    return session.scalars(select(DutyDay).where(DutyDay.person_id == person.id, DutyDay.day == day)).one()


def worker_for(session: Session, actor: Actor, person_id: UUID, action: str) -> Person:
    """A worker that an action of the person asking reaches. Raises NotFound."""
    person = session.scalars(select(Person).where(Person.id == person_id, workers_of(actor, action))).one_or_none()
    if person is None:
        raise NotFound("worker", person_id)
    return person


def check_day(
    session: Session, *, person_id: UUID, day: date, good: bool, note: str | None, actor: Actor, now: datetime
) -> Person:
    """The head looked at the quality of a worker's day; bad work counts as not done until he finds it good [R50]."""
    person = worker_for(session, actor, person_id, "check_day")
    check_finding(day=day, today=local(now, person_at_home(session, person_id)[1]).date())
    check_quality(good=good, note=note)
    session.add(
        DutyCheck(
            id=new_id(),
            person_id=person_id,
            day=day,
            good=good,
            note=note,
            checked_by=actor.person_id,
            checked_at=now,
        )
    )
    return person
