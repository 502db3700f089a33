"""Endpoints of the HR system, which deliveries are pushed to: added, stopped, given a delivery again [R92, D18]."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import Update, text, update
from sqlalchemy.orm import Session

from services.hr.models import Delivery, WebhookDelivery, WebhookEndpoint
from services.hr.rules.webhook import (
    ROTATION,
    WEBHOOK,
    WebhookState,
    WebhookStep,
    check_rotation,
    spell_secret,
)
from shared import outbound
from shared.errors import Malformed, NotFound, RuleBroken
from shared.ids import new_id
from shared.people import Actor, site_for
from shared.settings import settings

KEY_BYTES = 32

_PUSH = text("""
    INSERT INTO webhook_deliveries (endpoint_id, delivery_id, attempts, next_attempt_at)
    SELECT id, :delivery_id, 0, CASE WHEN state = 'enabled' THEN CAST(:now AS timestamptz) END
    FROM webhook_endpoints WHERE site_id IS NULL OR site_id = :site_id
    FOR SHARE
""")


def add(session: Session, *, url: str, site_id: UUID | None, actor: Actor, now: datetime) -> WebhookEndpoint:
    """A new endpoint with a secret of its own: it gets the deliveries made from now on, of its site or of all."""
    if site_id is not None:
        site_for(session, actor, site_id)
    elif actor.site_ids is not None:
        raise NotFound("webhook for", "all sites")
    try:
        outbound.target_of(url, allow_private=settings().webhook_allow_private)
    except (outbound.Refused, outbound.Unreachable) as refused:
        raise Malformed("bad_url", str(refused), rule="D18") from None
    endpoint = WebhookEndpoint(
        id=new_id(),
        url=url,
        site_id=site_id,
        state=WebhookState.ENABLED,
        secret=_new_secret(),
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(endpoint)
    session.flush()
    return endpoint


def rotate_secret(session: Session, *, endpoint_id: UUID, actor: Actor, now: datetime) -> WebhookEndpoint:
    """A new secret; for a day messages are signed with the old one too."""
    endpoint = _endpoint_for(session, actor, endpoint_id, WebhookStep.ROTATE_SECRET)
    check_rotation(old_until=endpoint.old_until, now=now)
    endpoint.old_secret, endpoint.secret = endpoint.secret, _new_secret()
    endpoint.old_until = now + ROTATION
    return endpoint


def disable(session: Session, *, endpoint_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Nothing more is sent; what is due waits."""
    stop(session, _endpoint_for(session, actor, endpoint_id, WebhookStep.DISABLE), reason=reason, now=now)


def enable(session: Session, *, endpoint_id: UUID, actor: Actor, now: datetime) -> None:
    """What has waited is sent now, with the whole schedule before it."""
    endpoint = _endpoint_for(session, actor, endpoint_id, WebhookStep.ENABLE)
    endpoint.state, endpoint.disabled_at, endpoint.disabled_reason = WebhookState.ENABLED, None, None
    session.execute(_open_deliveries(endpoint_id).values(next_attempt_at=now, attempts=0))


def replay(session: Session, *, endpoint_id: UUID, delivery_id: UUID, actor: Actor, now: datetime) -> None:
    """Send a delivery once more, or one older than the endpoint for the first time; the message is the same."""
    endpoint = _endpoint_for(session, actor, endpoint_id, WebhookStep.REPLAY)
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or endpoint.site_id not in {None, delivery.site_id}:
        raise NotFound("delivery for this webhook", delivery_id)
    sent = session.get(WebhookDelivery, (endpoint_id, delivery_id), with_for_update=True)
    if sent is None:
        sent = WebhookDelivery(endpoint_id=endpoint_id, delivery_id=delivery_id)
        session.add(sent)
    elif sent.delivered_at is None and sent.failed_at is None:
        raise RuleBroken("on_its_way", "this delivery is on its way already", rule="D18")
    sent.attempts, sent.next_attempt_at, sent.delivered_at, sent.failed_at = 0, now, None, None


def push(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """Every endpoint a new delivery concerns is to be sent it."""
    session.execute(_PUSH, {"delivery_id": delivery.id, "site_id": delivery.site_id, "now": now})


def stop(session: Session, endpoint: WebhookEndpoint, *, reason: str, now: datetime) -> None:
    """Push nothing more to the endpoint; what is due waits."""
    endpoint.state, endpoint.disabled_at, endpoint.disabled_reason = WebhookState.DISABLED, now, reason
    session.execute(_open_deliveries(endpoint.id).values(next_attempt_at=None))


def _open_deliveries(endpoint_id: UUID) -> Update:
    return update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id,
        WebhookDelivery.delivered_at.is_(None),
        WebhookDelivery.failed_at.is_(None),
    )


def _endpoint_for(session: Session, actor: Actor, endpoint_id: UUID, step: WebhookStep) -> WebhookEndpoint:
    """An endpoint of the person's sites, locked, that may take the step. Raises NotFound and RuleBroken."""
    endpoint = session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
    if endpoint is None or not (actor.site_ids is None or endpoint.site_id in actor.site_ids):
        raise NotFound("webhook", endpoint_id)
    WEBHOOK.move(endpoint.state, step)
    return endpoint


def _new_secret() -> str:
    return spell_secret(secrets.token_bytes(KEY_BYTES))
