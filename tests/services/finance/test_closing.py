"""A new closing time holds for days that have not begun; what was counted before stays where it was [D6, D13, D18]."""

from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy import select, update

from services.finance.models import Settlement, Site
from services.finance.queries.daily_checks import business_day_at
from services.finance.queries.reserves import reserve_statement
from services.finance.tasks import check_cash, close_months, hear_site_changed
from shared.messages import SiteChanged
from shared.people import known_site
from tests.services.finance.office import MONTH_END, Office, sweep_all


def april(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment by the clock on the wall in Shanghai."""
    return datetime(2026, 4, day, hour - 8, minute, tzinfo=UTC)


def close_at(office: Office, closing: time, *, now: datetime) -> None:
    site = known_site(office.session, office.site_id)
    told = SiteChanged(site_id=site.id, version=3, code=site.code, name=site.name, zone=site.zone, closing=closing)
    hear_site_changed(office.session, told, now=now)
    office.session.expire_all()


@pytest.mark.parametrize("closing", [time(17), time(20)])
def test_the_day_that_has_begun_is_over_when_it_said_and_the_next_ones_at_the_new_time(
    office: Office, closing: time
) -> None:
    close_at(office, closing, now=april(1, 16))
    assert office.paid(now=april(1, 17, 30)).day == date(2026, 4, 1)
    sweep_all(office.session, check_cash, now=april(1, 18, 1))
    assert office.paid(now=april(1, 19)).day == date(2026, 4, 2)
    before, after = closing.hour - 1, closing.hour
    assert business_day_at(office.session, office.site_id, now=april(2, before, 59)) == date(2026, 4, 2)
    assert business_day_at(office.session, office.site_id, now=april(2, after)) == date(2026, 4, 3)


def test_a_fact_between_closing_and_its_sweep_counts_in_the_next_day(office: Office) -> None:
    close_at(office, time(20), now=april(1, 16))
    assert office.paid(now=april(1, 18)).day == date(2026, 4, 2)


def test_a_month_closes_after_its_last_day_even_if_that_closes_later_than_when_the_month_began(
    office: Office,
) -> None:
    close_at(office, time(20), now=april(15, 12))
    sweep_all(office.session, check_cash, now=april(30, 18))
    sweep_all(office.session, close_months, now=MONTH_END.replace(minute=31))
    state = select(Settlement.state).where(Settlement.site_id == office.site_id, Settlement.month == "2026-04")
    assert office.session.scalars(state).one() == "open"
    assert office.paid(now=april(30, 19)).month == "2026-04"
    sweep_all(office.session, check_cash, now=april(30, 20, 1))
    sweep_all(office.session, close_months, now=april(30, 20, 31))
    assert office.session.scalars(state).one() == "closed"
    assert office.paid(now=april(30, 21)).month == "2026-05"


def test_a_statement_of_the_fund_stays_as_it_was_when_the_site_closes_at_another_time(office: Office) -> None:
    sweep_all(office.session, check_cash, now=april(30, 12))
    assert office.paid(10000, now=april(30, 17, 30)).month == "2026-04"
    before = reserve_statement(office.session, office.leader, site_id=office.site_id, month="2026-04")
    assert before.closing_fen == 1500
    office.session.execute(update(Site).where(Site.id == office.site_id).values(closing=time(17)))
    assert reserve_statement(office.session, office.leader, site_id=office.site_id, month="2026-04") == before
