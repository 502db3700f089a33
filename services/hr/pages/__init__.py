"""hr's pages: signing in, oneself, people, cases, payouts."""

from services.hr.pages import (
    account,
    cases,
    deliveries,
    doors,
    factors,
    income,
    payouts,
    people,
    records,
    reports,
    service_accounts,
    sign_in,
    sites,
)
from shared.ui.views import make_pages

pages = make_pages(
    *(sign_in.pages, sign_in.demos, doors.pages, account.pages),
    *(people.pages, factors.pages, sites.pages, service_accounts.pages),
    *(cases.pages, records.pages, income.pages, reports.pages, payouts.pages, deliveries.pages),
)
