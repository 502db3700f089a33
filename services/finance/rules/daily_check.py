"""The daily cash check: listed at closing time, chased the next morning [R36, R85, D6]."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shared.calendar import moment
from shared.policy import Policy


class CashPolicy(Policy):
    """The time of the next day at which cash that is still out opens a case."""

    decision = "D6"

    chase_at: time = time(9)


@dataclass(frozen=True)
class CheckTimes:
    """When a site's business day is checked, and when what was missing then is chased."""

    closes_at: datetime
    chase_at: datetime


def check_times(day: date, *, zone: str, closing: time, policy: CashPolicy) -> CheckTimes:
    """The two moments of a business day, both by the site's clock."""
    return CheckTimes(
        closes_at=moment(day, closing, zone),
        chase_at=moment(day + timedelta(days=1), policy.chase_at, zone),
    )
