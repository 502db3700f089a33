"""Months and times of day as requests give them."""

from datetime import time
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

from shared.web import MonthName, Written


def _without_zone(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("the site's own clock is meant: no time zone")
    return at


WallTime = Annotated[time, AfterValidator(_without_zone), Written]


Month = Annotated[MonthName | None, Query(description="e.g. `2026-04`; omit for all")]
