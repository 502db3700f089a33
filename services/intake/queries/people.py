"""People the desk speaks of: heads it calls, workers it was told about [R44, R54]."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.intake.models import Person
from shared.people import Actor


@dataclass(frozen=True)
class PersonName:
    """Somebody, by his name."""

    id: UUID
    name: str
    department: str


_SITES = type_coerce(Person.site_ids, ARRAY(Uuid))


def heads_of(session: Session, site_id: UUID) -> Mapping[str, list[str]]:
    """Department -> the names of its heads at the site, whom the desk calls when an owner is at the desk [R44]."""
    found: dict[str, list[str]] = {}
    here = or_(Person.all_sites, _SITES.contains([site_id]))
    query = select(Person.department, Person.name).where(Person.role == "head", Person.active, here)
    for department, name in session.execute(query.order_by(Person.name)):
        found.setdefault(department, []).append(name)
    return found


def workers(session: Session, actor: Actor) -> list[PersonName]:
    """Who works at the person's sites, by department and name: of whom a private job can be told [R54]."""
    query = select(Person.id, Person.name, Person.department).where(Person.role == "worker", Person.active)
    if actor.site_ids is not None:
        query = query.where(or_(Person.all_sites, _SITES.overlap(list(actor.site_ids))))
    return [PersonName(*row) for row in session.execute(query.order_by(Person.department, Person.name))]
