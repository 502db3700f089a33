"""HR tasks: the steps other than money, done by HR with evidence and never automatically [D19]."""

from datetime import datetime, timedelta

from services.hr.rules.ladder import PenaltyStep
from shared.errors import RuleBroken
from shared.policy import Days, Policy


class TaskPolicy(Policy):
    """Days from the moment the case is final to the moment the step must have been done."""

    decision = "D19"

    days: Days = 30


def task_due(final_at: datetime, policy: TaskPolicy) -> datetime:
    """By when HR must have done the step."""
    return final_at + timedelta(days=policy.days)


MOVES = frozenset({PenaltyStep.REMOVAL_FROM_POST, PenaltyStep.TRANSFER})
"""Steps HR carries out by moving the person to another post."""


def check_undone(done_at: datetime | None) -> None:
    """Raises RuleBroken when the step is done already."""
    if done_at is not None:
        raise RuleBroken("done_already", "this step has been done", rule="D19")
