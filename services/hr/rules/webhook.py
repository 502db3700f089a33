"""A webhook 推送: a delivery is pushed to an endpoint of the HR system, signed, until it is taken [R92, D18].

As the Standard Webhooks specification has it: only an answer 2xx takes a delivery; everything else, a redirect too,
is tried again on a schedule over days; 410 ends the endpoint. https://www.standardwebhooks.com
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.errors import RuleBroken
from shared.policy import Policy
from shared.states import Machine

Seconds = Annotated[int, Field(ge=0, le=7 * 24 * 3600, strict=True)]

LONGEST_RETRY_AFTER = timedelta(days=1)
"""An endpoint may ask for more patience than the schedule has, but not put a delivery off for ever."""

ROTATION = timedelta(hours=24)
"""For how long after a rotation messages carry the signature of the old secret too."""

SECRET_PREFIX = "whsec_"  # noqa: S105  # the prefix every secret has


class WebhookPolicy(Policy):
    """Seconds to wait before each attempt (as many attempts as delays), and how long an answer may take."""

    decision = "D18"

    delays: Annotated[tuple[Seconds, ...], Field(min_length=1, max_length=30)] = (
        *(0, 5, 300, 1800, 7200),
        *(18000, 36000, 50400, 72000, 86400),
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=30, strict=True)] = 20


class WebhookState(StrEnum):
    """Where an endpoint stands; what is due for one that is disabled waits until it is enabled."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class WebhookStep(StrEnum):
    """What can happen to an endpoint."""

    DISABLE = "disable"
    ENABLE = "enable"
    ROTATE_SECRET = "rotate-secret"  # noqa: S105  # the name of a step
    REPLAY = "replay"


WEBHOOK = Machine(
    "webhook",
    "D18",
    {
        (WebhookState.ENABLED, WebhookStep.DISABLE): WebhookState.DISABLED,
        (WebhookState.DISABLED, WebhookStep.ENABLE): WebhookState.ENABLED,
        (WebhookState.ENABLED, WebhookStep.ROTATE_SECRET): WebhookState.ENABLED,
        (WebhookState.ENABLED, WebhookStep.REPLAY): WebhookState.ENABLED,
    },
)


class Outcome(StrEnum):
    """What an attempt came to."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    GONE = "gone"


def outcome_of(status: int | None) -> Outcome:
    """2xx takes the delivery, 410 wants no more of them; anything else, and no answer at all (None), did not."""
    if status == 410:
        return Outcome.GONE
    return Outcome.TAKEN if status is not None and 200 <= status < 300 else Outcome.NOT_TAKEN


def next_attempt(
    delivery_id: UUID, attempts: int, policy: WebhookPolicy, *, now: datetime, status: int | None, retry_after: str
) -> datetime | None:
    """When to try again after so many attempts, None when that was the last.

    As the schedule says, a little later so that many do not come at once, and later still when the answer was 429
    or 503 and asked for it.
    """
    if attempts >= len(policy.delays):
        return None
    due = now + timedelta(seconds=policy.delays[attempts] * (1 + jitter(delivery_id, attempts)))
    asked = patience(retry_after, now=now) if status in {429, 503} else timedelta(0)
    return max(due, now + asked)


def jitter(delivery_id: UUID, attempts: int) -> float:
    """From 0 to a tenth; the same for the same attempt of the same delivery, so that a test can tell it."""
    return sha256(delivery_id.bytes + bytes([attempts])).digest()[0] / 2550


def patience(retry_after: str, *, now: datetime) -> timedelta:
    """How long an answer's Retry-After (seconds, or an HTTP date) asks us to wait; nothing when it says neither."""
    asked = timedelta(0)
    if retry_after.isascii() and retry_after.isdigit():
        asked = timedelta(seconds=min(int(retry_after[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    elif retry_after:
        try:
            asked = parsedate_to_datetime(retry_after) - now
        except (TypeError, ValueError):  # no date, or one without a zone
            asked = timedelta(0)
    return max(timedelta(0), min(asked, LONGEST_RETRY_AFTER))


def spell_secret(key: bytes) -> str:
    """A secret as its holder keeps it: 'whsec_' and its 24 to 64 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signed_headers(secrets: Sequence[str], *, id_: UUID, body: str, now: datetime) -> dict[str, str]:
    """The headers by which the holder of any one of the secrets knows the message to be ours, whole and of now."""
    stamp = str(int(now.timestamp()))
    signatures = [_signature(secret, f"{id_}.{stamp}.{body}") for secret in secrets]
    return {"webhook-id": str(id_), "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def _signature(secret: str, message: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, message.encode(), "sha256")).decode()


def secrets_at(secret: str, old_secret: str | None, *, old_until: datetime | None, now: datetime) -> list[str]:
    """The secrets a message is signed with: the present one, and the one before it until its time is over."""
    still_valid = old_secret is not None and old_until is not None and now < old_until
    return [secret, old_secret] if old_secret is not None and still_valid else [secret]


def check_rotation(*, old_until: datetime | None, now: datetime) -> None:
    """Raises RuleBroken while the secret before is still valid: a third would leave the HR system no time to change."""
    if old_until is not None and now < old_until:
        raise RuleBroken(
            "rotated_lately", f"the secret before is valid until {old_until:%Y-%m-%d %H:%M} UTC", rule="D18"
        )
