"""An appeal 申诉: the accused alone, within some days, against what the leader decided [D19]."""

from datetime import datetime, timedelta

from shared.errors import RuleBroken
from shared.policy import Days, Policy


class AppealPolicy(Policy):
    """Days the accused has, from the leader's decision, to appeal against it."""

    decision = "D19"

    days: Days = 7


def appeal_due(decided_at: datetime, policy: AppealPolicy) -> datetime:
    """Until when the accused may appeal; without an appeal the decision is final after it."""
    return decided_at + timedelta(days=policy.days)


def check_in_time(now: datetime, *, due_at: datetime) -> None:
    """Raises RuleBroken when the days of the appeal have passed."""
    if now > due_at:
        raise RuleBroken("appeal_too_late", f"an appeal was possible until {due_at:%Y-%m-%d %H:%M} UTC", rule="D19")
