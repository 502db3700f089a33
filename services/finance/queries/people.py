"""People a page lets somebody choose from: who may take the next step at a site."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, or_, select
from sqlalchemy.orm import Session

from services.finance.models import Person, Receipt
from services.finance.rules.hand_over import check_cannot_offer
from shared.access import at_sites_of
from shared.errors import RuleBroken
from shared.people import Actor


@dataclass(frozen=True)
class PersonView:
    """Somebody to choose."""

    id: UUID
    name: str
    role: str


def colleagues(session: Session, *, site_id: UUID, roles: Collection[str]) -> list[PersonView]:
    """Who works at a site in one of these roles, by name."""
    query = (
        select(Person)
        .where(
            Person.active,
            Person.role.in_(roles),
            or_(Person.all_sites, any_(Person.site_ids) == site_id),
        )
        .order_by(Person.name, Person.id)
    )
    return [PersonView(person.id, person.name, person.role) for person in session.scalars(query)]


@dataclass(frozen=True)
class GoneHolder:
    """Somebody with cash of a site who cannot hand it over himself any more."""

    site_id: UUID
    id: UUID
    name: str


def gone_holders(session: Session, actor: Actor) -> list[GoneHolder]:
    """Whose cash finance takes on his behalf: he left, works elsewhere, or in another role [R84, R86]."""
    query = (
        select(Receipt.site_id, Person)
        .join(Person, Person.id == Receipt.holder_id)
        .where(Receipt.holder_id.is_not(None), at_sites_of(actor, Receipt.site_id))
        .distinct()
    )
    return [
        GoneHolder(site_id, person.id, person.name)
        for site_id, person in session.execute(query)
        if _cannot_offer(person, site_id)
    ]


def _cannot_offer(person: Person, site_id: UUID) -> bool:
    at_site = person.all_sites or site_id in person.site_ids
    try:
        check_cannot_offer(active=person.active, at_site=at_site, role=person.role)
    except RuleBroken:
        return False
    return True
