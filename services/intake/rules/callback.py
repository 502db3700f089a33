"""The ten minutes: an owner who phones is called back and reached within them [R48, D3].

The clock starts when the request is recorded and stops when the owner *was reached* and a visit, or a reply at
a promised time, was agreed. Failed attempts do not stop it. An owner at the desk has no clock: he is served at
once [R44-R46]; one who writes online is treated like one who phones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import model_validator

from services.intake.rules.request import Channel
from shared.policy import Minutes, Policy


class CallbackPolicy(Policy):
    """Minutes until the owner must have been reached, and until desk and head are warned."""

    decision = "D3"

    minutes: Minutes = 10
    warn_at: Minutes = 8

    @model_validator(mode="after")
    def _warned_in_time(self) -> "CallbackPolicy":
        if self.warn_at >= self.minutes:
            raise ValueError("warn_at must be less than minutes")
        return self


@dataclass(frozen=True)
class CallbackClock:
    """When the desk is warned, and by when the owner must have been reached (that moment included)."""

    warn_at: datetime
    due_at: datetime


def start_clock(channel: Channel, recorded_at: datetime, policy: CallbackPolicy) -> CallbackClock | None:
    """The clock of a request just recorded; None for an owner at the desk."""
    if channel is Channel.WALK_IN:
        return None
    return CallbackClock(
        warn_at=recorded_at + timedelta(minutes=policy.warn_at),
        due_at=recorded_at + timedelta(minutes=policy.minutes),
    )


def kept(due_at: datetime, reached_at: datetime) -> bool:
    """Whether the owner was reached, or a promised reply given, in time: the last moment is included."""
    return reached_at <= due_at
