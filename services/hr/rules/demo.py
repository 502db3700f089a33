"""A look around a simulation as somebody of it, without a password: a few people stand for all of their role."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.hr.rules.post import DEPARTMENTS
from shared.errors import Problem

OF_A_ROLE = 2
"""So many of each role."""


class NotHere(Problem):
    """There is nothing at this path: word for word the answer to any path that is not there (404)."""

    status = 404

    def __init__(self) -> None:
        super().__init__("http", "Not Found")


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to be in a simulation; `post` is his role in words, `site` None where he works at all of them."""

    person_id: UUID
    name: str
    role: str
    post: str
    department: str
    site: str | None


def check_simulated(*, simulated: bool) -> None:
    """Raises NotHere in a real installation: nobody is anybody there without a password."""
    if not simulated:
        raise NotHere


def typical(people: Sequence[DemoPerson]) -> list[DemoPerson]:
    """Of each role the first of each department, then the next, OF_A_ROLE at most; roles in the order of posts."""
    chosen: list[DemoPerson] = []
    for role in DEPARTMENTS:
        of_role = [person for person in people if person.role == role]
        by_department = {person.department: person for person in reversed(of_role)}
        firsts = [person for person in of_role if by_department[person.department] is person]
        rest = [person for person in of_role if by_department[person.department] is not person]
        chosen += (firsts + rest)[:OF_A_ROLE]
    return chosen
