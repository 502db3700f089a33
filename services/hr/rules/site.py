"""A site 小区 keeps the time of its own place: its days, and so its months, end there [R36, D6]."""

from zoneinfo import available_timezones

from shared.errors import Malformed


def check_zone(zone: str) -> None:
    """Raises Malformed unless it is a time zone of the IANA database, like 'Asia/Shanghai'."""
    if zone not in available_timezones():
        raise Malformed("unknown_zone", f"there is no time zone {zone!r}", rule="D6")
