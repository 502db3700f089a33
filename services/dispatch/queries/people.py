"""The workers a person sees, where a worker's day is read, and what the rules need to know of him."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from services.dispatch.models import Person, Site
from services.dispatch.rules.access import MAY
from services.dispatch.rules.team import Colleague
from shared.access import Own
from shared.errors import NotFound
from shared.messages import Certificate
from shared.people import Actor
from shared.walls import across_sites


def workers_of(actor: Actor, action: str) -> ColumnElement[bool]:
    """The active workers an action of the person reaches: at his sites, of his department, or himself."""
    sites = (
        true()
        if actor.site_ids is None
        else or_(Person.all_sites, Person.site_ids.bool_op("&&")(sorted(actor.site_ids)))
    )
    his: ColumnElement[bool] = true()
    own = MAY[action].of(actor)
    if own is Own.DEPARTMENT:
        his = Person.department == actor.department
    if own is Own.HIMSELF:
        his = Person.id == actor.person_id
    return and_(Person.role == "worker", Person.active, sites, his)


HOME_SITE = func.coalesce(
    Person.site_ids[1], select(Site.id).order_by(Site.code).limit(1).correlate(None).scalar_subquery()
)
"""The site on whose wall clock a person's day is read: the first of his, or of all."""


def person_at_home(session: Session, person_id: UUID) -> tuple[Person, str]:
    """A person and the time zone of his home site. Raises NotFound while no site of his is known."""
    with across_sites(session):
        row = session.execute(
            select(Person, Site.zone).join(Site, Site.id == HOME_SITE).where(Person.id == person_id)
        ).one_or_none()
    if row is None:
        raise NotFound("site of", person_id)
    return row[0], row[1]


def certificates_of(person: Person) -> tuple[Certificate, ...]:
    """What a person holds, as hr says."""
    return tuple(Certificate.model_validate(one) for one in person.certificates)


def colleague(person: Person) -> Colleague:
    """What the rule of who may be sent needs to know of a person."""
    return Colleague(
        name=person.name,
        role=person.role,
        department=person.department,
        active=person.active,
        site_ids=None if person.all_sites else frozenset(person.site_ids),
        skills=None if person.skills is None else frozenset(person.skills),
        certificates=certificates_of(person),
    )
