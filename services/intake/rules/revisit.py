"""The revisit 回访: the desk calls the owner after the work, and a problem means free rework [R37-R39, D4, D25]."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from shared.policy import Hours, Policy


class RevisitPolicy(Policy):
    """Hours from acceptance to the revisit and from a rework's order to its assignment; calls before giving up."""

    decision = "D4"

    hours: Hours = 24
    rework_assign_hours: Hours = 2
    attempts: Annotated[int, Field(ge=1, le=100, strict=True)] = 3


@dataclass(frozen=True)
class Survey:
    """What every owner who is reached is asked 满意度 [R37]: quality and attitude from 1 to 5, the price as agreed."""

    quality: int
    attitude: int
    price_as_agreed: bool


def revisit_due(accepted_at: datetime, policy: RevisitPolicy) -> datetime:
    """When the owner is to be called."""
    return accepted_at + timedelta(hours=policy.hours)


def rework_assign_due(ordered_at: datetime, policy: RevisitPolicy) -> datetime:
    """By when the department must have assigned the rework."""
    return ordered_at + timedelta(hours=policy.rework_assign_hours)


def is_unreachable(failed_attempts: int, policy: RevisitPolicy) -> bool:
    """Whether so many calls went unanswered that the desk calls no more: the desk head decides [R37, D25]."""
    return failed_attempts >= policy.attempts
