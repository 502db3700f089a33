"""A fee counts in the day and month in which it came in, by the site's clock, to the moment [R36, D6, D13, D18]."""

from calendar import isleap
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from services.finance.queries.daily_checks import business_day_at
from services.finance.rules.daily_check import CashPolicy, check_times
from services.finance.tasks import check_cash, close_months
from shared.calendar import (
    business_day,
    business_month,
    first_day,
    last_day,
    local,
    moment,
    month_closes_at,
    month_of,
    next_month,
)
from tests.cases import cases
from tests.services.finance.office import Office, sweep_all

many = settings(max_examples=cases(1000), deadline=None)

SHANGHAI = "Asia/Shanghai"
TICK = timedelta(microseconds=1)
MIDNIGHT = time(0)

ZONES = st.sampled_from([SHANGHAI, "Asia/Urumqi", "Asia/Hong_Kong", "UTC"])
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=73000)).map(lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since)
CLOSINGS = st.times().map(lambda closing: closing.replace(microsecond=0, fold=0))
MONTHS = st.dates(date(2000, 1, 1), date(2199, 12, 1)).map(month_of)


def wall(text: str) -> datetime:
    """A moment by the clock on the wall in Shanghai, eight hours before Greenwich."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "day", "month"),
    [
        ("2026-04-30T23:59:59.999", date(2026, 5, 1), "2026-05"),  # after closing: the next day's already
        ("2026-05-01T00:00:00", date(2026, 5, 1), "2026-05"),
        ("2026-04-29T23:59:59.999", date(2026, 4, 30), "2026-04"),
        ("2026-04-30T17:59:59.999", date(2026, 4, 30), "2026-04"),
        ("2026-04-30T18:00:00", date(2026, 5, 1), "2026-05"),
        ("2028-02-28T18:00:00", date(2028, 2, 29), "2028-02"),  # a leap year's
        ("2028-02-29T17:59:59.999", date(2028, 2, 29), "2028-02"),
        ("2028-02-29T18:00:00", date(2028, 3, 1), "2028-03"),
        ("2027-02-28T18:00:00", date(2027, 3, 1), "2027-03"),
        ("2100-02-28T18:00:00", date(2100, 3, 1), "2100-03"),  # no leap year
        ("2026-12-31T18:00:00", date(2027, 1, 1), "2027-01"),
    ],
)
def test_a_moment_belongs_to_the_day_whose_closing_comes_next(at: str, day: date, month: str) -> None:
    moment_ = wall(at)
    assert business_day(moment_, zone=SHANGHAI, closing=time(18)) == day
    assert business_month(moment_, zone=SHANGHAI, closing=time(18)) == month


@pytest.mark.parametrize(
    ("at", "day"),
    [("2026-04-30T23:59:59.999", date(2026, 5, 1)), ("2026-05-01T00:00:00", date(2026, 5, 2))],
)
def test_a_site_that_closes_at_midnight_changes_days_at_its_own_midnight_and_not_at_greenwichs(
    at: str, day: date
) -> None:
    assert business_day(wall(at), zone=SHANGHAI, closing=MIDNIGHT) == day


@many
@given(MOMENTS, ZONES, CLOSINGS)
def test_a_business_day_lasts_from_one_closing_to_the_next(at: datetime, zone: str, closing: time) -> None:
    day = business_day(at, zone=zone, closing=closing)
    times = check_times(day, zone=zone, closing=closing, policy=CashPolicy())
    before = check_times(day - timedelta(days=1), zone=zone, closing=closing, policy=CashPolicy())
    assert before.closes_at <= at < times.closes_at
    assert times.chase_at - moment(day, time(9), zone) == timedelta(days=1)
    assert business_day(times.closes_at - TICK, zone=zone, closing=closing) == day
    assert business_day(times.closes_at, zone=zone, closing=closing) == day + timedelta(days=1)


@many
@given(MOMENTS, ZONES, CLOSINGS)
def test_a_month_ends_with_the_closing_of_its_last_day_and_closes_after_the_pause(
    at: datetime, zone: str, closing: time
) -> None:
    month = business_month(at, zone=zone, closing=closing)
    pause = timedelta(minutes=30)
    closes_at = month_closes_at(month, zone=zone, closing=closing, pause=pause)
    assert at < closes_at - pause
    assert business_month(closes_at - pause - TICK, zone=zone, closing=closing) == month
    assert business_month(closes_at - pause, zone=zone, closing=closing) == next_month(month)
    assert local(closes_at - pause, zone).timetz() == closing.replace(tzinfo=ZoneInfo(zone))


@many
@given(MONTHS)
def test_months_follow_each_other_without_a_gap_and_february_has_its_leap_day(month: str) -> None:
    assert first_day(next_month(month)) - last_day(month) == timedelta(days=1)
    assert month_of(first_day(month)) == month_of(last_day(month)) == month
    if month.endswith("-02"):
        assert last_day(month).day == (29 if isleap(last_day(month).year) else 28)


@many
@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)), ZONES, CLOSINGS)
def test_time_never_goes_back_a_day(at: datetime, later: timedelta, zone: str, closing: time) -> None:
    days = [business_day(one, zone=zone, closing=closing) for one in (at, at + later)]
    assert timedelta(0) <= days[1] - days[0] <= later + timedelta(days=1)


@pytest.fixture
def leap(session_of: Callable[[str], Session]) -> Office:
    """A site that begins on 28 February 2028 in the morning."""
    office = Office(session_of("finance"))
    office.begin(wall("2028-02-28T10:00:00"))
    return office


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "not swept yet"])
def test_a_fee_in_a_leap_year_counts_in_its_day_and_month_whenever_the_sweep_comes(
    leap: Office, *, swept: bool
) -> None:
    for at, day in (
        ("2028-02-28T17:59:59.999", "2028-02-28"),
        ("2028-02-28T18:00:00", "2028-02-29"),
        ("2028-02-28T23:59:59.999", "2028-02-29"),
        ("2028-02-29T00:00:00", "2028-02-29"),
        ("2028-02-29T17:59:59.999", "2028-02-29"),
        ("2028-02-29T18:00:00", "2028-03-01"),
        ("2028-02-29T23:59:59.999", "2028-03-01"),
        ("2028-03-01T00:00:00", "2028-03-01"),
    ):
        now = wall(at)
        if swept:
            sweep_all(leap.session, check_cash, now=now)
            sweep_all(leap.session, close_months, now=now)
        elif now >= wall("2028-02-29T18:00:00"):
            break  # without any sweep only the day after the last that began is known
        used = leap.paid(100, now=now)
        assert (str(used.day), used.month) == (day, day[:7])
        assert business_day_at(leap.session, leap.site_id, now=now) == used.day


def test_february_of_a_leap_year_closes_half_an_hour_after_its_29th_day_and_no_moment_earlier(leap: Office) -> None:
    closes_at = wall("2028-02-29T18:30:00")
    for now, closed in ((closes_at - TICK, 0), (closes_at, 0), (closes_at + TICK, 1)):
        sweep_all(leap.session, check_cash, now=now)
        assert sweep_all(leap.session, close_months, now=now) == closed
