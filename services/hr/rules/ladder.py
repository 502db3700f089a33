"""The penalty ladders 处罚: what a confirmed offence costs the first, second and third time [R78-R83, R88, D19].

Neglect of regular work climbs the ladder of the department head, a private job in working hours that of the
person; the count never expires unless the policy looks back only so many days. A private job outside working
hours is a breach with a warning and climbs nothing [R54, D20]. Withheld cash costs its own amount each time [R88].
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from shared.errors import Malformed
from shared.money import MAX_FEN
from shared.policy import Policy


class Offence(StrEnum):
    """影响本职工作, 私自接收有偿服务, 扣留或坐支现金."""

    NEGLECT = "neglect"
    PRIVATE_JOB = "private_job"
    WITHHELD_CASH = "withheld_cash"


class PenaltyStep(StrEnum):
    """What is done: 罚款, 免职, 劝其离职或除名, 调动工作岗位, 开除, 警告."""

    FINE = "fine"
    REMOVAL_FROM_POST = "removal_from_post"
    URGED_TO_RESIGN = "urged_to_resign"
    TRANSFER = "transfer"
    DISMISSAL = "dismissal"
    WARNING = "warning"


@dataclass(frozen=True)
class Penalty:
    """What one confirmed case costs: a step and a fine in fen; `rung` is the ladder's, None where none is climbed."""

    step: PenaltyStep
    fine_fen: int = 0
    rung: int | None = None

    @property
    def needs_hr(self) -> bool:
        """Whether more than money follows: a task for HR, never automatic [D19]."""
        return self.step is not PenaltyStep.FINE


Ladder = Annotated[tuple[Penalty, ...], Field(min_length=1)]


LookBack = Annotated[int, Field(ge=1, le=36_500, strict=True)]
"""A whole number of days, up to a hundred years."""


class LadderPolicy(Policy):
    """Each ladder from its first rung to its last; whoever is at the last stays there.

    `look_back_days` counts only offences at most so many days from this one; None: the count never expires.
    """

    decision = "D19"

    look_back_days: LookBack | None = None

    neglect: Ladder = (
        Penalty(PenaltyStep.FINE, 200_00, rung=1),
        Penalty(PenaltyStep.REMOVAL_FROM_POST, rung=2),
        Penalty(PenaltyStep.URGED_TO_RESIGN, rung=3),
    )
    private_job: Ladder = (
        Penalty(PenaltyStep.FINE, 200_00, rung=1),
        Penalty(PenaltyStep.TRANSFER, 200_00, rung=2),
        Penalty(PenaltyStep.DISMISSAL, rung=3),
    )

    def counts(self, earlier_at: datetime, *, at: datetime) -> bool:
        """Whether an offence of that moment counts before another; both ways, for an appeal may end late."""
        return self.look_back_days is None or abs(at - earlier_at) <= timedelta(days=self.look_back_days)

    @model_validator(mode="after")
    def _climbs_rung_by_rung(self) -> "LadderPolicy":
        for ladder in (self.neglect, self.private_job):
            if [step.rung for step in ladder] != list(range(1, len(ladder) + 1)):
                raise ValueError("the rungs of a ladder are 1, 2, 3, … in order")
            if any(not 0 <= step.fine_fen <= MAX_FEN for step in ladder):
                raise ValueError("a fine is 0 fen or more")
        return self


class DisciplinePolicy(Policy):
    """Whether a site turns fines into appraisal points 绩效扣分, which no wage and no bonus pays [D19, D22]."""

    decision = "D19"

    fines_as_points: bool = False
    points_per_100_yuan: int = Field(default=1, ge=1, le=1000, strict=True)


def points_of(fine_fen: int, policy: DisciplinePolicy) -> int:
    """The points a fine becomes; each 100 yuan begun counts, so that no fine is for nothing."""
    return -(-fine_fen // 100_00) * policy.points_per_100_yuan


def penalty(
    offence: Offence, *, earlier: int, in_working_hours: bool, amount_fen: int | None, policy: LadderPolicy
) -> Penalty:
    """What follows from an offence confirmed now, after `earlier` ones of the person that climbed its ladder."""
    if offence is Offence.WITHHELD_CASH:
        if amount_fen is None:
            raise Malformed("amount_needed", "withheld cash has an amount", rule="R88")
        return Penalty(PenaltyStep.FINE, amount_fen)
    if offence is Offence.PRIVATE_JOB and not in_working_hours:
        return Penalty(PenaltyStep.WARNING)
    ladder = policy.neglect if offence is Offence.NEGLECT else policy.private_job
    return ladder[min(earlier, len(ladder) - 1)]
