"""Deliveries are pushed to the endpoints of the HR system: kept, signed, sent outside any transaction, tried again."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Update, exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from services.hr.models import Delivery, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from services.hr.rules.delivery import pushed
from services.hr.rules.webhook import (
    ROTATION,
    WEBHOOK,
    Outcome,
    WebhookPolicy,
    WebhookState,
    WebhookStep,
    check_rotation,
    next_attempt,
    outcome_of,
    secrets_at,
    signed_headers,
    spell_secret,
)
from shared import outbound
from shared.alerts import Alert, raise_alerts
from shared.errors import Malformed, NotFound, RuleBroken
from shared.people import Actor, site_for
from shared.policy_rows import in_force
from shared.settings import settings

KEY_BYTES = 32
LEASE_MARGIN_SECONDS = 60
"""How much longer than an answer may take an endpoint stays with the worker that sends to it."""

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
    _disable(session, _endpoint_for(session, actor, endpoint_id, WebhookStep.DISABLE), reason=reason, now=now)


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


@dataclass(frozen=True)
class Sending:
    """One message ready to be sent, and the lease on its endpoint."""

    endpoint_id: UUID
    delivery_id: UUID
    url: str
    headers: dict[str, str]
    body: str
    timeout_seconds: int
    leased_until: datetime


@dataclass(frozen=True)
class Answered:
    """The answer's status, None with an error when there was none."""

    status: int | None
    retry_after: str = ""
    error: str | None = None


def claim(session: Session, *, now: datetime) -> Sending | None:
    """The first delivery that is due, of an endpoint nobody is sending to; its endpoint is ours for the lease."""
    due = (
        WebhookDelivery.next_attempt_at <= now,
        WebhookDelivery.delivered_at.is_(None),
        WebhookDelivery.failed_at.is_(None),
    )
    endpoint = session.scalar(
        select(WebhookEndpoint)
        .where(
            WebhookEndpoint.state == WebhookState.ENABLED,
            or_(WebhookEndpoint.leased_until.is_(None), WebhookEndpoint.leased_until <= func.clock_timestamp()),
            exists().where(WebhookDelivery.endpoint_id == WebhookEndpoint.id, *due),
        )
        .order_by(WebhookEndpoint.leased_until.nulls_first())  # in turn, so that no slow one starves the others
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if endpoint is None:
        return None
    delivery = session.scalars(
        select(Delivery)
        .join(WebhookDelivery, WebhookDelivery.delivery_id == Delivery.id)
        .where(WebhookDelivery.endpoint_id == endpoint.id, *due)
        .order_by(Delivery.sequence)
        .limit(1)
    ).first()
    if delivery is None:  # recorded by another worker since the question above
        return None
    seconds = _policy(session, delivery).timeout_seconds
    lease = func.clock_timestamp() + timedelta(seconds=seconds + LEASE_MARGIN_SECONDS)
    endpoint.leased_until = session.execute(select(lease)).scalar_one()
    keys = secrets_at(endpoint.secret, endpoint.old_secret, old_until=endpoint.old_until, now=now)
    body = pushed(delivery.body)
    return Sending(
        endpoint.id,
        delivery.id,
        endpoint.url,
        {"content-type": "application/json", **signed_headers(keys, id_=delivery.id, body=body, now=now)},
        body,
        seconds,
        endpoint.leased_until,
    )


def send(sending: Sending) -> Answered:
    """Post the message; where it goes is checked once more, for names change their addresses."""
    try:
        answer = outbound.post(
            sending.url,
            body=sending.body.encode(),
            headers=sending.headers,
            seconds=sending.timeout_seconds,
            allow_private=settings().webhook_allow_private,
        )
    except (outbound.Refused, outbound.Unreachable) as failure:
        return Answered(None, error=str(failure))
    return Answered(answer.status, answer.retry_after)


def record(session: Session, sending: Sending, answered: Answered, *, now: datetime) -> None:
    """Write down what came of it: taken, to be tried again, given up, or the endpoint is gone."""
    endpoint = session.get_one(WebhookEndpoint, sending.endpoint_id, with_for_update=True)
    if endpoint.leased_until == sending.leased_until:
        endpoint.leased_until = func.clock_timestamp()
    attempt = WebhookAttempt(
        endpoint_id=endpoint.id,
        delivery_id=sending.delivery_id,
        status=answered.status,
        error=answered.error,
        attempted_at=now,
    )
    session.add(attempt)
    session.flush()
    sent = session.get_one(WebhookDelivery, (endpoint.id, sending.delivery_id), with_for_update=True)
    if sent.delivered_at is not None:
        return
    sent.attempts += 1
    delivery = session.get_one(Delivery, sending.delivery_id)
    match outcome_of(answered.status):
        case Outcome.TAKEN:
            sent.delivered_at, sent.failed_at, sent.next_attempt_at = now, None, None
        case Outcome.GONE if WEBHOOK.allows(endpoint.state, WebhookStep.DISABLE):
            _disable(session, endpoint, reason="the endpoint answered 410: it is gone", now=now)
            _tell(session, "webhook_disabled", attempt, delivery, now=now)
        case _ if endpoint.state is WebhookState.ENABLED:
            sent.next_attempt_at = next_attempt(
                delivery.id,
                sent.attempts,
                _policy(session, delivery),
                now=now,
                status=answered.status,
                retry_after=answered.retry_after,
            )
            if sent.next_attempt_at is None:
                sent.failed_at = now
                _tell(session, "webhook_failed", attempt, delivery, now=now)


def _tell(session: Session, kind: str, attempt: WebhookAttempt, delivery: Delivery, *, now: datetime) -> None:
    facts: dict[str, str | int] = {
        "webhook_id": str(attempt.endpoint_id),
        "delivery_id": str(delivery.id),
        "sequence": delivery.sequence,
        "status": attempt.status or 0,
    }
    raise_alerts(
        session,
        [
            Alert(kind, delivery.site_id, attempt.id, role="administrator", facts=facts),
            Alert(kind, delivery.site_id, attempt.id, role="hr", facts=facts),
        ],
        now=now,
    )


def _disable(session: Session, endpoint: WebhookEndpoint, *, reason: str, now: datetime) -> None:
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


def _policy(session: Session, delivery: Delivery) -> WebhookPolicy:
    return in_force(session, WebhookPolicy, site_id=delivery.site_id, at=delivery.made_at)


def _new_secret() -> str:
    return spell_secret(secrets.token_bytes(KEY_BYTES))
