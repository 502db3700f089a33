"""The departments' JSON API: one action for each route, one file for each subject; fen, and moments with a zone."""

from fastapi import APIRouter

from services.dispatch.api import (
    acceptances,
    consultations,
    damages,
    duties,
    hours,
    neglects,
    papers,
    photos,
    privacy,
    teams,
    visits,
    work_orders,
)

api = APIRouter(prefix="/api")
for part in (
    work_orders,
    teams,
    visits,
    damages,
    photos,
    acceptances,
    duties,
    neglects,
    hours,
    consultations,
    papers,
    privacy,
):
    api.include_router(part.routes)
