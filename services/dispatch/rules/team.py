"""The workers of a job and their weights in the workers' share, as the head chooses them [R30, R60, R66, R71, D15]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.dispatch.rules.certificate import check_certified
from shared.errors import Malformed, RuleBroken
from shared.messages import Certificate, WorkerShare

MAX_WORKERS = 20
MAX_WEIGHT = 100


@dataclass(frozen=True)
class Member:
    """A person chosen, and his weight from 1 to MAX_WEIGHT."""

    person_id: UUID
    weight: int = 1


@dataclass(frozen=True)
class Colleague:
    """What the rule needs to know of a person; `site_ids` None means all sites, `skills` None all trades."""

    name: str
    role: str
    department: str
    active: bool
    site_ids: frozenset[UUID] | None
    skills: frozenset[str] | None = None
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True)
class Job:
    """What the rule needs to know of a job: where it is, whose trade it is, and the day of the visit there."""

    department: str
    site_id: UUID
    trade: str
    day: date


def is_skilled(person: Colleague, trade: str) -> bool:
    """Whether he can do the trade: everybody works within his ability 量力而行 [R60]."""
    return person.skills is None or trade in person.skills


def may_work(person: Colleague, *, department: str, site_id: UUID) -> bool:
    """An active worker of the department, at the site. A head is no worker: nobody assigns himself [D9]."""
    return (
        person.active
        and person.role == "worker"
        and person.department == department
        and (person.site_ids is None or site_id in person.site_ids)
    )


def choose_team(members: Sequence[Member], people: Mapping[UUID, Colleague], job: Job) -> list[WorkerShare]:
    """The team, in the head's order. Raises Malformed for one that cannot be, RuleBroken for who may not do this."""
    if not 1 <= len(members) <= MAX_WORKERS:
        raise Malformed("team_size", f"a job has 1 to {MAX_WORKERS} workers", rule="R30")
    if any(not 1 <= member.weight <= MAX_WEIGHT for member in members):
        raise Malformed("weight_out_of_range", f"a weight is from 1 to {MAX_WEIGHT}", rule="D15")
    if len({member.person_id for member in members}) < len(members):
        raise Malformed("worker_twice", "a worker is named twice", rule="D15")
    team = []
    for member in members:
        person = people.get(member.person_id)
        if person is None or not may_work(person, department=job.department, site_id=job.site_id):
            raise RuleBroken(
                "not_a_worker_here",
                f"{member.person_id} is no active worker of {job.department} at this site",
                rule="R30",
            )
        team.append((member, person))
    unskilled = [person.name for _, person in team if not is_skilled(person, job.trade)]
    if unskilled:
        raise RuleBroken("not_his_trade", f"{job.trade} is not the trade of {', '.join(unskilled)}", rule="R60")
    check_certified([(person.name, person.certificates) for _, person in team], job.trade, day=job.day)
    return [WorkerShare(person_id=member.person_id, name=person.name, weight=member.weight) for member, person in team]


def why_not(person: Colleague, person_id: UUID, job: Job) -> str:
    """Why he may not be sent to the job, in the words of the refusal; empty when he may."""
    try:
        choose_team([Member(person_id)], {person_id: person}, job)
    except RuleBroken as broken:
        return broken.detail
    return ""
