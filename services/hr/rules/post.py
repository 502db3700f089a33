"""Posts 岗位: which role belongs to which department, and who may hand out which post [R11, R12, D1]."""

from collections.abc import Sequence
from datetime import date, time
from uuid import UUID

from shared.errors import Malformed, NotYourRole, RuleBroken
from shared.messages import Department, Role

FIELD: frozenset[Department] = frozenset({"engineering", "environment"})
"""The departments that visit homes [D1]."""

DEPARTMENTS: dict[Role, frozenset[Department]] = {
    "clerk": frozenset({"front_desk"}),
    "desk_head": frozenset({"front_desk"}),
    "head": FIELD,
    "worker": FIELD,
    "cashier": frozenset({"finance"}),
    "finance_lead": frozenset({"finance"}),
    "leader": frozenset({"management"}),
    "hr": frozenset({"hr"}),
    "administration": frozenset({"administration"}),
    "operator": frozenset({"administration"}),
    "auditor": frozenset({"administration"}),
    "administrator": frozenset({"administration"}),
}
"""Role -> the departments that have it."""


HEADS: frozenset[Role] = frozenset({"desk_head", "head", "finance_lead", "leader"})
"""Whoever is at the head of his department."""


def check_post(
    role: Role,
    department: Department,
    *,
    site_ids: Sequence[UUID],
    all_sites: bool,
    shift_start: time | None,
    shift_end: time | None,
) -> None:
    """Raises Malformed unless the department has that role, and the post has sites and a whole shift or none."""
    if department not in DEPARTMENTS[role]:
        raise Malformed(
            "role_not_of_department", f"there is no {role} in {department}", rule="R12", allowed=DEPARTMENTS[role]
        )
    if not site_ids and not all_sites:
        raise Malformed("no_sites", "a person works at some sites or at all of them", rule="R6")
    if (shift_start is None) != (shift_end is None):
        raise Malformed("half_a_shift", "a shift has a start and an end, or there is none", rule="R68")


def check_rank(role: Role, *, of: str) -> None:
    """Raises NotYourRole when one who is no administrator would make, be or unmake one."""
    if of == "administrator" and role != "administrator":
        raise NotYourRole(
            "administrators_only", f"a {role} has no say over an administrator", allowed=["administrator"]
        )


def check_leader(role: str, *, active: bool, at_site: bool) -> None:
    """Raises RuleBroken unless the person is a leader of the company at that site [R77, R92]."""
    if role != "leader" or not active or not at_site:
        raise RuleBroken("not_a_leader", "the leader in charge is a leader who works at the site", rule="R77")


def check_valid(valid_until: date, *, today: date) -> None:
    """Raises Malformed for a certificate that has run out already."""
    if valid_until < today:
        raise Malformed("expired_already", "a certificate is recorded while it is valid", rule="R60")
