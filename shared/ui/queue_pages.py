"""The operator's page of a service's messages, workers and deadlines 消息与时限: what needs help first."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from shared.ops import bus_view, discard_parked, received, retry_parked
from shared.tasks import Tasks
from shared.ui.forms import Form, Nothing
from shared.ui.views import View
from shared.web import Reason

PAGE = 50


def make_queue_pages(tasks: Tasks, may: Callable[[str], Any]) -> APIRouter:
    """The page, and what an operator does with a message that is stuck; `may` is the service's `see`."""
    pages = APIRouter()
    here = f"/{tasks.service}/queues"

    def shown(view: View, form: Form[Reason] | None = None) -> Response:
        parked = received(view.session, tasks.service, state="parked", after=view.asked_id(), limit=PAGE)
        bus = bus_view(view.session, tasks)
        return view.show("queues.html", bus=bus, parked=parked, form=form or Form(Reason), live=tasks.service)

    @pages.get("/queues")
    def queues(view: Annotated[View, may("watch")]) -> Response:
        return shown(view)

    @pages.post("/queues/{message_id}/retry")
    def retry(message_id: UUID, view: Annotated[View, may("operate")]) -> Response:
        return view.submit(
            Form(Nothing),
            lambda _: retry_parked(view.session, message_id, actor=view.actor),
            then=here,
            again=lambda _: shown(view),
            said="已重试",
        )

    @pages.post("/queues/{message_id}/discard")
    def discard(message_id: UUID, view: Annotated[View, may("operate")]) -> Response:
        return view.submit(
            Form(Reason),
            lambda body: discard_parked(view.session, message_id, reason=body.reason, actor=view.actor),
            then=here,
            again=lambda form: shown(view, form),
            said="已放弃这条消息",
        )

    return pages
