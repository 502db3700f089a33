"""A worker's prescribed duties of a day are done [R50, D8]."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.dispatch.models import DutyDay
from services.dispatch.queries import person_at_home
from services.dispatch.rules.duty import Shift
from shared.calendar import local
from shared.people import Actor


def mark_done(session: Session, *, actor: Actor, now: datetime) -> DutyDay:
    """The actor's duties of his day are done; said again, the first time stands."""
    person, zone = person_at_home(session, actor.person_id)
    day = Shift(person.shift_start, person.shift_end).day(local(now, zone))
    session.execute(insert(DutyDay).values(person_id=person.id, day=day, done_at=now).on_conflict_do_nothing())
    return session.scalars(select(DutyDay).where(DutyDay.person_id == person.id, DutyDay.day == day)).one()
