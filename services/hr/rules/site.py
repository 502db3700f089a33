"""A site 小区 keeps the time of its own place: its days, and so its months, end there [R36, D6]."""

from datetime import time
from zoneinfo import available_timezones

from shared.errors import Malformed


def check_zone(zone: str) -> None:
    """Raises Malformed unless it is a time zone of the IANA database, like 'Asia/Shanghai'."""
    if zone not in available_timezones():
        raise Malformed("unknown_zone", f"there is no time zone {zone!r}", rule="D6")


def check_clears(opens: time | None, closes_service: time | None, *, clear_hours: bool) -> None:
    """Raises Malformed when service hours are given and cleared at once."""
    if clear_hours and (opens is not None or closes_service is not None):
        raise Malformed("hours_given_and_cleared", "give service hours or clear them, not both", rule="R6")


def check_hours(opens: time | None, closes_service: time | None) -> None:
    """Raises Malformed unless the site has service hours 服务时间 from an earlier to a later time, or none."""
    if (opens is None) != (closes_service is None):
        raise Malformed("half_of_hours", "service hours have a start and an end, or there are none", rule="R6")
    if opens is not None and closes_service is not None and opens >= closes_service:
        raise Malformed("hours_backwards", "service hours end after they start", rule="R6")
