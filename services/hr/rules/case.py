"""A discipline case 违规案件: what may be charged, who is heard, decides and appeals, and when it is final [R78-R88].

Nothing follows from a case before it is final: the accused was heard, a leader decided, and the accused accepted,
let the days of his appeal pass, or lost the appeal before another leader [D18, D19].
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.hr.rules.ladder import Offence
from shared.errors import Malformed, RuleBroken
from shared.messages import Role
from shared.states import Machine


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    HEARD = "heard"
    DECIDED = "decided"
    APPEALED = "appealed"
    FINAL = "final"
    DISMISSED = "dismissed"
    LIFTED = "lifted"


class CaseStep(StrEnum):
    """What is done with it: 补充证据, 听取申辩, 认定, 不成立, 接受, 逾期未申诉, 申诉, 维持, 撤销."""

    ADD_EVIDENCE = "add_evidence"
    HEAR = "hear"
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    ACCEPT = "accept"
    LAPSE = "lapse"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    LIFT = "lift"


CASE = Machine[CaseState, CaseStep](
    "case",
    "D19",
    {
        (CaseState.OPEN, CaseStep.ADD_EVIDENCE): CaseState.OPEN,
        (CaseState.OPEN, CaseStep.HEAR): CaseState.HEARD,
        (CaseState.HEARD, CaseStep.ADD_EVIDENCE): CaseState.HEARD,
        (CaseState.HEARD, CaseStep.CONFIRM): CaseState.DECIDED,
        (CaseState.HEARD, CaseStep.DISMISS): CaseState.DISMISSED,
        (CaseState.DECIDED, CaseStep.ADD_EVIDENCE): CaseState.DECIDED,
        (CaseState.DECIDED, CaseStep.ACCEPT): CaseState.FINAL,
        (CaseState.DECIDED, CaseStep.LAPSE): CaseState.FINAL,
        (CaseState.DECIDED, CaseStep.APPEAL): CaseState.APPEALED,
        (CaseState.APPEALED, CaseStep.ADD_EVIDENCE): CaseState.APPEALED,
        (CaseState.APPEALED, CaseStep.UPHOLD): CaseState.FINAL,
        (CaseState.APPEALED, CaseStep.LIFT): CaseState.LIFTED,
    },
)


OPENERS: frozenset[Role] = frozenset({"clerk", "desk_head", "head", "cashier", "finance_lead", "hr"})
"""Who may open a case: whoever finds an offence at work, but not who decides."""

WITNESSES: frozenset[Role] = OPENERS | {"leader"}
"""Who may add evidence to a case of somebody else."""


@dataclass(frozen=True)
class Charge:
    """Who is said to have done what.

    It may cite an override [D8]; `source_id` is the missing cash, neglect or report it was told by [D6, R54].
    `in_working_hours` None: what the person's shift of that time says [R81, D20].
    """

    offence: Offence
    site_id: UUID
    person_id: UUID
    happened_at: datetime
    evidence: str
    in_working_hours: bool | None = None
    amount_fen: int | None = None
    override_id: UUID | None = None
    source_id: UUID | None = None


def check_charge(charge: Charge, *, accused_role: str, now: datetime) -> None:
    """Raises unless it has happened, has what belongs to it, and neglect is charged to who was a head then [R78]."""
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


def case_series(*, site_code: str, year: int) -> str:
    """The series cases are numbered in: 'AJ-BK-2026' is those of that site and year."""
    return f"AJ-{site_code}-{year}"
