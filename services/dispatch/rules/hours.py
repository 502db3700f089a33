"""Paid hours 有偿工时: paid work is done in spare time, and a month has only so much of it [R68]."""

from datetime import datetime, time
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.calendar import last_day, moment
from shared.policy import Hours, Policy


class HoursPolicy(Policy):
    """Hours of paid work a person may do in a month, and from how many on his head is told."""

    decision = "R68"

    limit_hours: Hours = 36
    warn_hours: Hours = 32


def is_near(minutes: int, policy: HoursPolicy) -> bool:
    """Whether a person has worked so much in the month that his head is told."""
    return minutes > policy.warn_hours * 60


def is_over(minutes: int, policy: HoursPolicy) -> bool:
    """Whether a person has worked more than a month's hours."""
    return minutes > policy.limit_hours * 60


def limit_moment(month: str, *, zone: str, closing: time, now: datetime) -> datetime:
    """The moment whose limit a month is held against: now while it runs, its close once it is over."""
    return min(now, moment(last_day(month), closing, zone))


def hours_of(person_id: UUID, month: str) -> UUID:
    """What an alert about a person's hours of a month is about: it is told once."""
    return uuid5(NAMESPACE_URL, f"hours:{person_id}:{month}")
