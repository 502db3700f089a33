"""Days, months and times of day as requests give them."""

from datetime import date, time
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

from shared.web import EARLIEST, LATEST, MonthName


def _without_zone(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("the site's own clock is meant: no time zone")
    return at


WallTime = Annotated[time, AfterValidator(_without_zone)]


def _in_our_years(day: date) -> date:
    if not EARLIEST.date() <= day < LATEST.date():
        raise ValueError(f"must lie from {EARLIEST:%Y} to {LATEST:%Y}")
    return day


Day = Annotated[date, AfterValidator(_in_our_years)]


Month = Annotated[MonthName | None, Query(description="e.g. `2026-04`; omit for all")]
