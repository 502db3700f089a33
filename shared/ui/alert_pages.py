"""The page of a service's alerts 提醒: what somebody is told at once, and confirms having seen [D3, D6, D24]."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from shared.access import WATCHERS
from shared.alerts import alerts_of, see
from shared.ui.forms import Form, Nothing
from shared.ui.views import View

PAGE = 50


def make_alert_pages(service: str, may: Callable[[str], Any]) -> APIRouter:
    """The page, and the button on it; `may` is the service's `see`."""
    pages = APIRouter()

    def shown(view: View) -> Response:
        watches, unseen = view.actor.role in WATCHERS, view.asked("all") is None
        found = alerts_of(view.session, view.actor, unseen=unseen, after=view.asked_id(), limit=PAGE, watches=watches)
        return view.show("alerts.html", alerts=found, unseen=unseen, live=service)

    @pages.get("/alerts")
    def alerts(view: Annotated[View, may("read_alerts")]) -> Response:
        return shown(view)

    @pages.post("/alerts/{alert_id}/seen")
    def confirm(alert_id: UUID, view: Annotated[View, may("see_alert")]) -> Response:
        return view.submit(
            Form(Nothing),
            lambda _: see(view.session, alert_id=alert_id, actor=view.actor, now=view.now),
            then=f"/{service}/alerts",
            again=lambda _: shown(view),
            said="已确认",
        )

    return pages
