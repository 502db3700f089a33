"""Days and months of a site: its time zone, its closing time, and what falls after it."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def local(at: datetime, zone: str) -> datetime:
    """The moment as a clock on the site's wall shows it."""
    return at.astimezone(ZoneInfo(zone))


def moment(day: date, at: time, zone: str) -> datetime:
    """The moment (UTC) at which the site's wall clock shows `at` on `day`."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def business_day(at: datetime, *, zone: str, closing: time) -> date:
    """The day a fact is counted in: what happens from closing time on belongs to the next day [R36, D6]."""
    here = local(at, zone)
    return here.date() + timedelta(days=1) if here.time() >= closing else here.date()


def month_of(day: date) -> str:
    """The month of a day, as '2026-04'."""
    return f"{day:%Y-%m}"


def business_month(at: datetime, *, zone: str, closing: time) -> str:
    """The month a fact is counted in [D13]: that of its business day."""
    return month_of(business_day(at, zone=zone, closing=closing))


def first_day(month: str) -> date:
    """The first day of '2026-04'."""
    return date.fromisoformat(f"{month}-01")


def last_day(month: str) -> date:
    """The last day of '2026-04'."""
    first = first_day(month)
    return first.replace(day=monthrange(first.year, first.month)[1])


def month_closes_at(month: str, *, zone: str, closing: time, pause: timedelta) -> datetime:
    """The moment a site's month is over: a pause after its last day closes, for the daily check comes first [D18]."""
    return moment(last_day(month), closing, zone) + pause


def next_month(month: str) -> str:
    """The month after '2026-12' is '2027-01'."""
    return month_of(last_day(month) + timedelta(days=1))
