"""The colleague an action names: somebody who works at that site."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.finance.models import Person
from shared.errors import NotFound


def colleague(session: Session, person_id: UUID, *, site_id: UUID) -> Person:
    """An active person of the site. Raises NotFound for anybody else."""
    person = session.get(Person, person_id)
    if person is None or not person.active or not (person.all_sites or site_id in person.site_ids):
        raise NotFound("person", person_id)
    return person
