"""Signing in: login names, how long a session lasts, and who needs a second factor [promises 21, 22]."""

import re
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from shared.errors import NotSignedIn, NotYourRole, RuleBroken
from shared.messages import Role
from shared.policy import Hours, Minutes, Policy

MONEY_ROLES: frozenset[Role] = frozenset({"cashier", "finance_lead", "leader", "hr"})
"""Who moves money, or says that it be moved."""

LOGIN_NAME = r"^[a-z0-9][a-z0-9._-]{2,49}$"
"""Lower case, so that two names never differ by case alone."""

INVITED = timedelta(days=3)
"""How long an invitation can be accepted."""

RESET_OPEN = timedelta(days=3)
"""How long another may confirm that a lost second factor is taken away."""


class SignInPolicy(Policy):
    """How long a session lasts without being renewed and at most, and which roles need a second factor."""

    decision: ClassVar[str] = "ASVS 6.3.3, 7.3"

    idle_minutes_money: Minutes = 15
    idle_minutes: Minutes = 480
    absolute_hours: Annotated[Hours, Field(le=24)] = 12
    totp_roles: list[Role] = Field(
        default=["finance_lead", "cashier", "leader", "hr", "operator", "administrator"], max_length=20
    )

    def ends(self, role: str, *, begun: datetime, now: datetime) -> tuple[datetime, datetime]:
        """(idle until, absolutely until) of a session begun at `begun` and used at `now`."""
        idle = self.idle_minutes_money if role in MONEY_ROLES else self.idle_minutes
        absolute = begun + timedelta(hours=self.absolute_hours)
        return min(now + timedelta(minutes=idle), absolute), absolute


def login_name(login: str) -> str:
    """The name as it is kept."""
    return login.strip().lower()


def is_login_name(login: str) -> bool:
    """Whether it can be a login name."""
    return re.fullmatch(LOGIN_NAME, login) is not None


def refused() -> NotSignedIn:
    """The one answer to an unknown name, a wrong password or code, and a person who left: it tells them not apart."""
    return NotSignedIn("login_refused", "name, password or code is wrong")


def check_factor_enrolled(role: str, *, confirmed: bool, policy: SignInPolicy) -> None:
    """Raises NotYourRole when the role needs a second factor and the person has none yet."""
    if role in policy.totp_roles and not confirmed:
        raise NotYourRole(
            "totp_needed_first", f"a {role} needs a second factor before he signs in", allowed=["POST /api/totp"]
        )


def reset_expires(proposed_at: datetime) -> datetime:
    """Until when another may confirm it."""
    return proposed_at + RESET_OPEN


def check_reset_open(expires_at: datetime, *, now: datetime) -> None:
    """Raises RuleBroken when nobody confirmed the reset of a second factor in time."""
    if now > expires_at:
        raise RuleBroken("reset_expired", "nobody confirmed it in time", allowed=["propose it anew"])


def check_code_given(code: str | None) -> str:
    """The code; raises NotSignedIn when the password was right and the code is missing."""
    if not code:
        raise NotSignedIn(
            "totp_needed", "send the code of your second factor too, or a recovery code", allowed=["totp"]
        )
    return code
