"""How a case is brought from open to final, as tests say it often."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.hr.actions import appeal, case
from services.hr.models import Case, Person
from shared.people import Actor


def actor_of(session: Session, person_id: object) -> Actor:
    """A person as he acts himself."""
    person = session.get_one(Person, person_id)
    sites = None if person.all_sites else frozenset(person.site_ids)
    return Actor(person.id, person.name, person.role, person.department, sites)  # type: ignore[arg-type]


def hear(session: Session, made: Case, now: datetime) -> Case:
    """The accused says what he has to say."""
    accused = actor_of(session, made.person_id)
    return case.hear(session, case_id=made.id, statement="情况属实,愿意改正", attended=True, actor=accused, now=now)


def decide(session: Session, made: Case, leader: Actor, now: datetime, *, confirm: bool = True) -> Case:
    """Heard and decided by the leader."""
    hear(session, made, now)
    case.decide(session, case_id=made.id, confirm=confirm, reason="属实", actor=leader, now=now)
    session.flush()
    return made


def accept(session: Session, made: Case, now: datetime) -> Case:
    """The accused accepts."""
    appeal.accept(session, case_id=made.id, actor=actor_of(session, made.person_id), now=now)
    session.flush()
    return made


def finish(session: Session, made: Case, leader: Actor, now: datetime) -> Case:
    """Heard, decided and accepted: final."""
    return accept(session, decide(session, made, leader, now), now)
