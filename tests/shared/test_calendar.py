"""Days and months of a site."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from shared.calendar import business_day, business_month, first_day, last_day, moment, month_closes_at, next_month

SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 4, 1, 9, 59, tzinfo=UTC), date(2026, 4, 1)),  # 17:59 at the site
        (datetime(2026, 4, 1, 10, 0, tzinfo=UTC), date(2026, 4, 2)),  # 18:00
        (datetime(2026, 4, 1, 16, 30, tzinfo=UTC), date(2026, 4, 2)),  # after midnight there
    ],
)
def test_what_happens_from_closing_time_on_belongs_to_the_next_day(at: datetime, day: date) -> None:
    assert business_day(at, zone=SHANGHAI, closing=time(18)) == day


def test_the_evening_of_the_last_day_belongs_to_the_next_month() -> None:
    at = datetime(2026, 4, 30, 10, 0, tzinfo=UTC)
    assert business_month(at, zone=SHANGHAI, closing=time(18)) == "2026-05"


def test_closing_time_is_the_sites_own() -> None:
    assert moment(date(2026, 4, 1), time(18), SHANGHAI) == datetime(2026, 4, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("month", "last", "after"),
    [
        ("2026-02", date(2026, 2, 28), "2026-03"),
        ("2028-02", date(2028, 2, 29), "2028-03"),
        ("2026-12", date(2026, 12, 31), "2027-01"),
    ],
)
def test_months_end_and_follow_each_other(month: str, last: date, after: str) -> None:
    assert (last_day(month), next_month(month)) == (last, after)
    assert first_day(month) == last.replace(day=1)


def test_a_month_closes_a_pause_after_closing_on_its_last_day() -> None:
    closes_at = month_closes_at("2026-02", zone=SHANGHAI, closing=time(18), pause=timedelta(minutes=30))
    assert closes_at == datetime(2026, 2, 28, 10, 30, tzinfo=UTC)
