"""Who is shown an owner's phone number, and when what is personal of him is erased [D26]."""

from calendar import monthrange
from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.intake.rules.request import ENDED, RequestState
from shared.errors import RuleBroken
from shared.policy import Policy


class RetentionPolicy(Policy):
    """Months after the end of a request until its owner's name, number, address and signature are erased.

    Not below fourteen: for 400 days what was sent and answered is remembered, and could say again what was erased.
    """

    decision = "D26"

    months: Annotated[int, Field(ge=14, le=600, strict=True)] = 24


def check_reveal(state: RequestState) -> None:
    """Raises RuleBroken once the request has ended: nobody needs to call the owner any more."""
    if state in ENDED:
        raise RuleBroken("request_ended", f"the request is {state}: its owner's number stays masked", rule="D26")


def check_erase(numbers: list[str]) -> None:
    """Raises RuleBroken while requests are open: they need the owner, and come first."""
    if numbers:
        raise RuleBroken("requests_open", f"{', '.join(numbers)} must end first", rule="D26", allowed=["cancel"])


def erase_due(ended_at: datetime, policy: RetentionPolicy) -> datetime:
    """So many months after the end, on the same day, or the last of a shorter month."""
    years, month0 = divmod(ended_at.year * 12 + ended_at.month - 1 + policy.months, 12)
    day = min(ended_at.day, monthrange(years, month0 + 1)[1])
    return ended_at.replace(year=years, month=month0 + 1, day=day)
