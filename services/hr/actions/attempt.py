"""An attempt to push a delivery to an endpoint: claimed, sent outside any transaction, and recorded [R92, D18]."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from services.hr.actions.webhook import stop
from services.hr.models import Delivery, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from services.hr.rules.delivery import pushed
from services.hr.rules.webhook import (
    WEBHOOK,
    Outcome,
    WebhookPolicy,
    WebhookState,
    WebhookStep,
    next_attempt,
    outcome_of,
    secrets_at,
    signed_headers,
)
from shared import outbound
from shared.alerts import Alert, raise_alerts
from shared.policy_rows import in_force
from shared.settings import settings

LEASE_MARGIN_SECONDS = 60
"""How much longer than an answer may take an endpoint stays with the worker that sends to it."""


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
            stop(session, endpoint, reason="the endpoint answered 410: it is gone", now=now)
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


def _policy(session: Session, delivery: Delivery) -> WebhookPolicy:
    return in_force(session, WebhookPolicy, site_id=delivery.site_id, at=delivery.made_at)
