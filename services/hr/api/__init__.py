"""The JSON API of hr, one file for each subject: one action for each route; money in fen, moments with a zone."""

from fastapi import APIRouter

from services.hr.api import (
    appeals,
    cases,
    company,
    deliveries,
    logins,
    missed_callbacks,
    overrides,
    papers,
    payout_files,
    payouts,
    points,
    posts,
    reports,
    sessions,
    sites,
    statements,
    tasks,
    tokens,
    wages,
    webhooks,
)

api = APIRouter(prefix="/api")
for part in (
    company,
    sites,
    posts,
    logins,
    sessions,
    tokens,
    wages,
    cases,
    appeals,
    points,
    tasks,
    overrides,
    missed_callbacks,
    reports,
    statements,
    payouts,
    payout_files,
    deliveries,
    webhooks,
    papers,
):
    api.include_router(part.routes)
