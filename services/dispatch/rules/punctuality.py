"""In time 及时: the department acknowledges at once and is at the door when it said [R29, R30, R101, D4]."""

from datetime import datetime, timedelta

from shared.policy import Minutes, Policy


class PunctualityPolicy(Policy):
    """Minutes from receipt to acknowledgement, and how long before and after the window opens workers may arrive."""

    decision = "D4"

    acknowledge_minutes: Minutes = 5
    arrive_minutes: Minutes = 15
    early_minutes: Minutes = 60


def acknowledge_due(received_at: datetime, policy: PunctualityPolicy) -> datetime:
    """By when the department must have acknowledged its copy."""
    return received_at + timedelta(minutes=policy.acknowledge_minutes)


def arrive_due(visit_from: datetime, policy: PunctualityPolicy) -> datetime:
    """By when the workers must be at the home."""
    return visit_from + timedelta(minutes=policy.arrive_minutes)


def is_late(due_at: datetime | None, at: datetime) -> bool:
    """Whether `at` is after the moment promised; where nothing was promised nothing is late."""
    return due_at is not None and at > due_at
