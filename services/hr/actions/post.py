"""People join, get their token, and leave."""

import secrets
from collections.abc import Sequence
from datetime import time
from uuid import UUID

from sqlalchemy.orm import Session

from services.hr.models import Person
from services.hr.rules.post import check_post, check_rank
from shared.bus.outbox import publish
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import Department, PersonChanged, Role
from shared.people import Actor, hash_token, site_for


def new_token() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(32)


def tell(session: Session, person: Person) -> None:
    """Everybody hears how the person stands now."""
    publish(
        session,
        PersonChanged.model_validate(
            {
                "person_id": person.id,
                "version": person.version,
                "name": person.name,
                "role": person.role,
                "department": person.department,
                "site_ids": person.site_ids,
                "all_sites": person.all_sites,
                "active": person.active,
                "token_hash": person.token_hash,
                "shift_start": person.shift_start,
                "shift_end": person.shift_end,
            }
        ),
    )


def employ(
    session: Session,
    *,
    name: str,
    role: Role,
    department: Department,
    site_ids: Sequence[UUID],
    all_sites: bool,
    shift_start: time | None,
    shift_end: time | None,
    actor: Actor,
) -> Person:
    """Employ a person at sites of whoever employs him; nobody can act as him before a token is issued."""
    check_post(role, department, site_ids=site_ids, all_sites=all_sites, shift_start=shift_start, shift_end=shift_end)
    check_rank(actor.role, of=role)
    for site_id in site_ids:
        site_for(session, actor, site_id)
    if all_sites and actor.site_ids is not None:
        raise NotFound("post at", "all sites")
    person = Person(
        id=new_id(),
        version=1,
        name=name,
        role=role,
        department=department,
        site_ids=list(site_ids),
        all_sites=all_sites,
        active=True,
        token_hash=hash_token(new_token()),
        shift_start=shift_start,
        shift_end=shift_end,
    )
    session.add(person)
    tell(session, person)
    return person


def issue_token(session: Session, *, person_id: UUID, actor: Actor) -> str:
    """A new token, shown this once; the one before is worth nothing from here on."""
    person = _person_for(session, actor, person_id)
    token = new_token()
    person.token_hash = hash_token(token)
    person.version += 1
    tell(session, person)
    return token


def let_leave(session: Session, *, person_id: UUID, actor: Actor) -> Person:
    """The person leaves: his token is worth nothing, what he did stays."""
    person = _person_for(session, actor, person_id)
    if person.id == actor.person_id:
        # whoever lets others leave stays, so that there is always one who can employ
        raise RuleBroken("not_yourself", "somebody else must let you leave")
    person.active = False
    person.version += 1
    tell(session, person)
    return person


def _person_for(session: Session, actor: Actor, person_id: UUID) -> Person:
    """A person working at no site the actor does not see, locked. Raises NotFound, and RuleBroken when he left."""
    person = session.get(Person, person_id, with_for_update=True)
    if person is None or not (
        actor.site_ids is None or (not person.all_sites and actor.site_ids.issuperset(person.site_ids))
    ):
        raise NotFound("person", person_id)
    check_rank(actor.role, of=person.role)
    if not person.active:
        raise RuleBroken("left_already", f"{person.name} has left")
    return person
