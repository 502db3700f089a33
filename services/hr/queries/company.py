"""The company as a tree of sites, departments and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Person, Site, SiteLeader
from services.hr.rules.post import HEADS
from shared.access import at_sites_of
from shared.messages import Department
from shared.people import Actor


@dataclass(frozen=True)
class MemberView:
    """Somebody in a department."""

    person_id: UUID
    name: str
    role: str
    is_head: bool


@dataclass(frozen=True)
class DepartmentView:
    """A department at a site: its people, heads first, and the leader in charge of it, if one is named."""

    department: str
    leader_id: UUID | None
    leader_name: str | None
    people: list[MemberView]


@dataclass(frozen=True)
class SiteBranchView:
    """A site with its departments."""

    site_id: UUID
    code: str
    name: str
    departments: list[DepartmentView]


def organisation(session: Session, actor: Actor) -> list[SiteBranchView]:
    """The company as a tree: each site of the person asking, its departments, their heads, people and leaders."""
    everybody = session.scalars(select(Person).where(Person.active).order_by(Person.name, Person.id)).all()
    by_id = {person.id: person for person in everybody}
    in_charge = {
        (one.site_id, one.department): by_id[one.leader_id]
        for one in session.scalars(select(SiteLeader).where(SiteLeader.until.is_(None)))
        if one.leader_id in by_id and by_id[one.leader_id].role == "leader"
    }
    return [_branch(site, everybody, in_charge) for site in _sites_of(session, actor)]


def _sites_of(session: Session, actor: Actor) -> list[Site]:
    return list(session.scalars(select(Site).where(at_sites_of(actor, Site.id)).order_by(Site.code)))


def _branch(site: Site, everybody: Sequence[Person], in_charge: Mapping[tuple[UUID, str], Person]) -> SiteBranchView:
    here = [person for person in everybody if person.all_sites or site.id in person.site_ids]
    departments = []
    for department in get_args(Department):
        people = [
            MemberView(person.id, person.name, person.role, person.role in HEADS)
            for person in here
            if person.department == department
        ]
        leader = in_charge.get((site.id, department))
        if leader is not None and not (leader.all_sites or site.id in leader.site_ids):
            leader = None  # he was moved to other sites
        if people or leader is not None:
            departments.append(
                DepartmentView(
                    department,
                    leader.id if leader is not None else None,
                    leader.name if leader is not None else None,
                    sorted(people, key=lambda one: not one.is_head),
                )
            )
    return SiteBranchView(site.id, site.code, site.name, departments)
