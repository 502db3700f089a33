"""The revisit 回访: the desk calls the owner after the work, and a problem means free rework [R37-R39, D4, D25]."""

from datetime import datetime, timedelta

from shared.policy import Hours, Policy


class RevisitPolicy(Policy):
    """Hours from acceptance to the revisit, and from the order of a rework to its assignment."""

    decision = "D4"

    hours: Hours = 24
    rework_assign_hours: Hours = 2


def revisit_due(accepted_at: datetime, policy: RevisitPolicy) -> datetime:
    """When the owner is to be called."""
    return accepted_at + timedelta(hours=policy.hours)


def rework_assign_due(ordered_at: datetime, policy: RevisitPolicy) -> datetime:
    """By when the department must have assigned the rework."""
    return ordered_at + timedelta(hours=policy.rework_assign_hours)
