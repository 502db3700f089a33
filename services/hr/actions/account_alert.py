"""What is done to a person's account is told at once, to himself and to others than who did it [promise 22]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.hr.models import Person
from shared.alerts import Alert, raise_alerts
from shared.ids import NO_SITE, new_id
from shared.people import Actor


def tell_of_act(session: Session, kind: str, *, person: Person, actor: Actor, now: datetime) -> None:
    """The person, and every other administrator of a site of his, are told of one act of the actor on his account.

    Where there is no other administrator the leaders are. Each is told as himself, so that nobody sees it away for all;
    and each act anew.
    """
    site_id = NO_SITE if person.all_sites else min(person.site_ids)
    facts: dict[str, str | int] = {"person_id": str(person.id), "person": person.name, "by": actor.name}
    act = new_id()
    others = _others(session, "administrator", site_id, person, actor) or _others(
        session, "leader", site_id, person, actor
    )
    told = [Alert(kind, site_id, act, person_id=id_, facts=facts) for id_ in [person.id, *others]]
    raise_alerts(session, told, now=now)


def _others(session: Session, role: str, site_id: UUID, person: Person, actor: Actor) -> list[UUID]:
    """Who has the role and sees the site, but the two."""
    found = select(Person.id).where(
        Person.active,
        Person.role == role,
        or_(Person.all_sites, Person.site_ids.bool_op("@>")([site_id])),
        Person.id.not_in([person.id, actor.person_id]),
    )
    return list(session.scalars(found.order_by(Person.id)))
