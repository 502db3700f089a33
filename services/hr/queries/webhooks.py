"""The endpoints deliveries are pushed to, and every attempt."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from services.hr.models import Delivery, WebhookAttempt, WebhookEndpoint
from shared.errors import NotFound
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class WebhookView:
    """An endpoint deliveries are pushed to, without its secret; `old_secret_until` is when its old one ends."""

    id: UUID
    url: str
    site_id: UUID | None
    state: str
    created_by: UUID
    created_at: datetime
    old_secret_until: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None


def webhook_view(e: WebhookEndpoint) -> WebhookView:
    """An endpoint as shown."""
    return WebhookView(
        e.id,
        e.url,
        e.site_id,
        e.state,
        e.created_by,
        e.created_at,
        e.old_until,
        e.disabled_at,
        e.disabled_reason,
    )


def _webhooks(actor: Actor) -> Select[WebhookEndpoint]:
    """Those of the person's sites; those of the whole company for whoever sees all of it."""
    query = select(WebhookEndpoint)
    return query if actor.site_ids is None else query.where(WebhookEndpoint.site_id.in_(actor.site_ids))


def webhooks(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[WebhookView]:
    """The endpoints."""
    return page_of(session, _webhooks(actor), WebhookEndpoint.id, webhook_view, after=after, limit=limit)


def webhook_by_id(session: Session, actor: Actor, endpoint_id: UUID) -> WebhookView:
    """One endpoint. Raises NotFound."""
    found = session.scalars(_webhooks(actor).where(WebhookEndpoint.id == endpoint_id)).one_or_none()
    if found is None:
        raise NotFound("webhook", endpoint_id)
    return webhook_view(found)


@dataclass(frozen=True)
class AttemptView:
    """One attempt to push a delivery: the status it was answered with, or the error when there was no answer."""

    id: UUID
    delivery_id: UUID
    sequence: int
    status: int | None
    error: str | None
    attempted_at: datetime


def webhook_attempts(
    session: Session, actor: Actor, *, endpoint_id: UUID, after: UUID | None, limit: int
) -> Page[AttemptView]:
    """Every attempt to push something to an endpoint."""
    webhook_by_id(session, actor, endpoint_id)

    def view(a: WebhookAttempt) -> AttemptView:
        return AttemptView(a.id, a.delivery_id, a.delivery.sequence, a.status, a.error, a.attempted_at)

    query = select(WebhookAttempt).where(WebhookAttempt.endpoint_id == endpoint_id)
    return page_of(
        session,
        query.options(joinedload(WebhookAttempt.delivery).load_only(Delivery.sequence)),  # never the body
        WebhookAttempt.id,
        view,
        after=after,
        limit=limit,
    )
