"""The workers of a job and their weights in the workers' share, as the head chooses them [R30, R71, D15]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.errors import Malformed, RuleBroken
from shared.messages import WorkerShare

MAX_WORKERS = 20
MAX_WEIGHT = 100


@dataclass(frozen=True)
class Member:
    """A person chosen, and his weight from 1 to MAX_WEIGHT."""

    person_id: UUID
    weight: int = 1


@dataclass(frozen=True)
class Colleague:
    """What the rule needs to know of a person; `site_ids` None means all sites."""

    name: str
    role: str
    department: str
    active: bool
    site_ids: frozenset[UUID] | None


def may_work(person: Colleague, *, department: str, site_id: UUID) -> bool:
    """An active worker of the department, at the site. A head is no worker: nobody assigns himself [D9]."""
    return (
        person.active
        and person.role == "worker"
        and person.department == department
        and (person.site_ids is None or site_id in person.site_ids)
    )


def choose_team(
    members: Sequence[Member], people: Mapping[UUID, Colleague], *, department: str, site_id: UUID
) -> list[WorkerShare]:
    """The team, in the head's order. Raises Malformed for one that cannot be, RuleBroken for who may not work here."""
    if not 1 <= len(members) <= MAX_WORKERS:
        raise Malformed("team_size", f"a job has 1 to {MAX_WORKERS} workers", rule="R30")
    if any(not 1 <= member.weight <= MAX_WEIGHT for member in members):
        raise Malformed("weight_out_of_range", f"a weight is from 1 to {MAX_WEIGHT}", rule="D15")
    if len({member.person_id for member in members}) < len(members):
        raise Malformed("worker_twice", "a worker is named twice", rule="D15")
    team = []
    for member in members:
        person = people.get(member.person_id)
        if person is None or not may_work(person, department=department, site_id=site_id):
            raise RuleBroken(
                "not_a_worker_here", f"{member.person_id} is no active worker of {department} at this site", rule="R30"
            )
        team.append(WorkerShare(person_id=member.person_id, name=person.name, weight=member.weight))
    return team
