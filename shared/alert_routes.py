"""The routes under /api/alerts: the same in all four services."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from shared.access import COMMON, WATCHERS
from shared.alerts import AlertView, alerts_of, see
from shared.paging import Page
from shared.web import After, Edge, Limit, permissions


def make_alerts(service: str) -> APIRouter:
    """The routes under /api/alerts of a service."""
    may = permissions(service, COMMON)
    router = APIRouter(prefix="/api/alerts", tags=["alerts"])

    @router.get("", summary="What the person is told, in the order it was raised [D3, D6, D24]")
    def list_alerts(
        edge: Annotated[Edge, may("read_alerts")],
        *,
        unseen: bool = True,
        own: Annotated[bool, Query(description="of one who watches: only what he is told himself")] = False,
        after: After = None,
        limit: Limit = 100,
    ) -> Page[AlertView]:
        watches = edge.actor.role in WATCHERS and not own
        return alerts_of(edge.session, edge.actor, unseen=unseen, after=after, limit=limit, watches=watches)

    @router.post("/{alert_id}/seen", summary="The person has seen it")
    def see_alert(alert_id: UUID, edge: Annotated[Edge, may("see_alert")]) -> AlertView:
        return see(edge.session, alert_id=alert_id, actor=edge.actor, now=edge.now)

    return router
