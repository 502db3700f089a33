"""The front desk's JSON API, a file for each subject: money in fen, moments with a zone."""

from fastapi import APIRouter

from services.intake.api import (
    answers,
    callbacks,
    cash_alerts,
    consultations,
    homes,
    imports,
    lines,
    notices,
    owner_links,
    papers,
    prices,
    privacy,
    private_jobs,
    reports,
    requests,
    revisits,
    sites,
    statistics,
    trades,
)

api = APIRouter(prefix="/api")
for part in (
    sites,
    prices,
    requests,
    imports,
    callbacks,
    consultations,
    notices,
    owner_links,
    homes,
    trades,
    answers,
    private_jobs,
    revisits,
    cash_alerts,
    statistics,
    lines,
    reports,
    papers,
    privacy,
):
    api.include_router(part.routes)
