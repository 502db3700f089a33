"""A discipline case 违规案件: what may be charged, how it is numbered, and who decides it [R78-R88, D18, D19]."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.hr.rules.ladder import Offence
from shared.errors import Malformed, RuleBroken
from shared.states import Machine


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class CaseStep(StrEnum):
    """What the leader can do with it."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"


CASE = Machine[CaseState, CaseStep](
    "case",
    "D19",
    {
        (CaseState.OPEN, CaseStep.CONFIRM): CaseState.CONFIRMED,
        (CaseState.OPEN, CaseStep.DISMISS): CaseState.DISMISSED,
    },
)


@dataclass(frozen=True)
class Charge:
    """Who is said to have done what; it may cite the override [D8] or the missing cash [D6] it comes from."""

    offence: Offence
    site_id: UUID
    person_id: UUID
    happened_at: datetime
    evidence: str
    in_working_hours: bool = True
    amount_fen: int | None = None
    override_id: UUID | None = None
    missing_id: UUID | None = None


def check_charge(charge: Charge, *, accused_role: str, now: datetime) -> None:
    """Raises unless it has happened, has what belongs to it, and neglect is charged to a department head [R78]."""
    if charge.happened_at > now:
        raise Malformed("not_happened_yet", "an offence is charged after it happened", rule="D19")
    if (charge.offence is Offence.WITHHELD_CASH) != (charge.amount_fen is not None):
        raise Malformed("amount_of_cash", "withheld cash, and nothing else, has an amount", rule="R88")
    if charge.override_id is not None and charge.offence is not Offence.NEGLECT:
        raise Malformed("override_is_neglect", "an override is cited by a case of neglect", rule="D8")
    if charge.offence is Offence.NEGLECT and accused_role != "head":
        raise RuleBroken("not_a_department_head", "for neglect the department's head answers", rule="R78")


def check_override(charge: Charge, *, head_id: UUID) -> None:
    """Raises RuleBroken unless the override cited was given by the person charged [D8]."""
    if charge.person_id != head_id:
        raise RuleBroken("not_his_override", "that override was given by somebody else", rule="D8")


def check_four_eyes(decider: UUID, *, opened_by: UUID | None, accused: UUID) -> None:
    """Raises RuleBroken when the decider opened the case or is the one charged [D18]."""
    if decider in (opened_by, accused):
        raise RuleBroken("not_four_eyes", "neither who opened a case nor whom it is about decides it", rule="D18")


def case_series(*, site_code: str, year: int) -> str:
    """The series cases are numbered in: 'AJ-BK-2026' is those of that site and year."""
    return f"AJ-{site_code}-{year}"
