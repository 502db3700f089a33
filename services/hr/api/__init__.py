"""The JSON API of hr, one file for each subject: one action for each route; money in fen, moments with a zone."""

from fastapi import APIRouter

from services.hr.api import (
    appeals,
    cases,
    company,
    deliveries,
    demo,
    factor_resets,
    logins,
    missed_callbacks,
    overrides,
    papers,
    payout_files,
    payouts,
    points,
    posts,
    privacy,
    reports,
    sessions,
    sign_on,
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
    factor_resets,
    sessions,
    demo,
    sign_on,
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
    privacy,
    papers,
):
    api.include_router(part.routes)
