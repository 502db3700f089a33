"""Where deliveries are pushed to."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import StringConstraints

from services.hr.actions import webhook
from services.hr.api.may import may
from services.hr.queries.webhooks import (
    AttemptView,
    WebhookView,
    webhook_attempts,
    webhook_by_id,
    webhook_view,
    webhooks,
)
from shared.paging import Page
from shared.web import After, Body, Edge, Limit, Reason

routes = APIRouter(tags=["webhooks"])


class AddWebhook(Body):
    """Where deliveries are pushed to: https, at an address of the open internet; without a site for all sites."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    site_id: UUID | None = None


class ReplayWebhook(Body):
    """The delivery to be sent once more."""

    delivery_id: UUID


@dataclass(frozen=True)
class WebhookSecret:
    """A webhook and its secret, which is shown this once."""

    webhook: WebhookView
    secret: str


# neither is once for a key: the stored answer would hold the secret; a URL is there once, and so is a rotation a day
@routes.post("/webhooks", status_code=201, summary="Push deliveries made from now on to a URL, signed [R92, D18]")
def add_webhook(body: AddWebhook, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookSecret:
    made = webhook.add(edge.session, url=body.url, site_id=body.site_id, actor=edge.actor, now=edge.now)
    return WebhookSecret(webhook_view(made), made.secret)


@routes.post("/webhooks/{webhook_id}/rotate-secret", summary="A new secret; the old one signs too for a day [D18]")
def rotate_webhook_secret(webhook_id: UUID, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookSecret:
    made = webhook.rotate_secret(edge.session, endpoint_id=webhook_id, actor=edge.actor, now=edge.now)
    return WebhookSecret(webhook_view(made), made.secret)


@routes.post("/webhooks/{webhook_id}/disable", summary="Push nothing more to it; what is due waits [D18]")
def disable_webhook(webhook_id: UUID, body: Reason, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookView:
    def act() -> WebhookView:
        webhook.disable(edge.session, endpoint_id=webhook_id, reason=body.reason, actor=edge.actor, now=edge.now)
        return webhook_by_id(edge.session, edge.actor, webhook_id)

    return edge.once(body, act)


@routes.post("/webhooks/{webhook_id}/enable", summary="Push to it again, first what has waited [D18]")
def enable_webhook(webhook_id: UUID, edge: Annotated[Edge, may("manage_webhooks")]) -> WebhookView:
    def act() -> WebhookView:
        webhook.enable(edge.session, endpoint_id=webhook_id, actor=edge.actor, now=edge.now)
        return webhook_by_id(edge.session, edge.actor, webhook_id)

    return edge.once(None, act)


@routes.post("/webhooks/{webhook_id}/replay", summary="Push a delivery once more, the same as before [D18]")
def replay_webhook(webhook_id: UUID, body: ReplayWebhook, edge: Annotated[Edge, may("replay_webhook")]) -> WebhookView:
    def act() -> WebhookView:
        webhook.replay(
            edge.session, endpoint_id=webhook_id, delivery_id=body.delivery_id, actor=edge.actor, now=edge.now
        )
        return webhook_by_id(edge.session, edge.actor, webhook_id)

    return edge.once(body, act)


@routes.get("/webhooks", summary="Where deliveries are pushed to")
def list_webhooks(
    edge: Annotated[Edge, may("read_webhooks")], after: After = None, limit: Limit = 100
) -> Page[WebhookView]:
    return webhooks(edge.session, edge.actor, after=after, limit=limit)


@routes.get("/webhooks/{webhook_id}/attempts", summary="Every attempt to push to it, and how it was answered")
def list_webhook_attempts(
    webhook_id: UUID, edge: Annotated[Edge, may("read_webhooks")], after: After = None, limit: Limit = 100
) -> Page[AttemptView]:
    return webhook_attempts(edge.session, edge.actor, endpoint_id=webhook_id, after=after, limit=limit)
