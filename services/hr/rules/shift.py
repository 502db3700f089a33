"""A shift 班次: when a person works, by the clock on the wall of his site [R68, R81, D20]."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta


def in_working_hours(
    at: datetime, *, shift_start: time | None, shift_end: time | None, holidays: Collection[date]
) -> bool:
    """Whether the moment, shown by the site's own clock, lies in the shift; no shift and public holidays do not count.

    A shift that ends before it starts is a night's: what is after midnight belongs to the day before.
    """
    if shift_start is None or shift_end is None:
        return False
    wall, day = at.time(), at.date()
    if shift_start <= shift_end:
        return shift_start <= wall < shift_end and day not in holidays
    if wall < shift_end:
        return day - timedelta(days=1) not in holidays
    return wall >= shift_start and day not in holidays
