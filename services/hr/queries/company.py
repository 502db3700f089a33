"""The company as a tree of sites, departments and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Person, Site, SiteLeader
from services.hr.queries.posts import works_at_sites_of
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
    sites = session.scalars(select(Site).where(at_sites_of(actor, Site.id)).order_by(Site.code))
    working = select(Person).where(Person.active, works_at_sites_of(actor)).order_by(Person.name, Person.id)
    people = session.scalars(working).all()
    named = (
        select(SiteLeader.site_id, SiteLeader.department, SiteLeader.leader_id, Person.name)
        .join(Person, Person.id == SiteLeader.leader_id)
        .where(at_sites_of(actor, SiteLeader.site_id), SiteLeader.until.is_(None))
    )
    in_charge = {
        (site_id, department): (leader_id, name) for site_id, department, leader_id, name in session.execute(named)
    }
    return [_branch(site, people, in_charge) for site in sites]


def _branch(
    site: Site, people: Sequence[Person], in_charge: Mapping[tuple[UUID, str], tuple[UUID, str]]
) -> SiteBranchView:
    members: dict[str, list[MemberView]] = {department: [] for department in get_args(Department)}
    for person in people:
        if person.all_sites or site.id in person.site_ids:
            members[person.department].append(MemberView(person.id, person.name, person.role, person.role in HEADS))
    departments = []
    for department, here in members.items():
        leader_id, leader_name = in_charge.get((site.id, department), (None, None))
        if here or leader_id is not None:
            heads_first = sorted(here, key=lambda one: not one.is_head)
            departments.append(DepartmentView(department, leader_id, leader_name, heads_first))
    return SiteBranchView(site.id, site.code, site.name, departments)
