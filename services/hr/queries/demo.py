"""Who can be in a simulation."""

from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Person, Site
from services.hr.rules.demo import DemoPerson, typical
from shared.access import ROLE_NAMES
from shared.messages import Role
from shared.walls import across_sites


def demo_people(session: Session) -> list[DemoPerson]:
    """A few people of each role, by when they were employed; whoever asks is nobody yet, so of all sites."""
    with across_sites(session):
        sites = {site.id: site.name for site in session.scalars(select(Site))}
    working = select(Person).where(Person.active, Person.service_account.is_(False)).order_by(Person.id)
    return typical(
        [
            DemoPerson(
                person_id=person.id,
                name=person.name,
                role=person.role,
                post=ROLE_NAMES[cast("Role", person.role)],
                department=person.department,
                site=None if person.all_sites else "、".join(sites[site_id] for site_id in person.site_ids),
            )
            for person in session.scalars(working)
        ]
    )
