"""API tokens: what one may be used for, and for how long; and who may act as somebody else (nobody) [promise 21]."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from shared.access import Permissions
from shared.errors import Malformed, NotYourRole

LONGEST = timedelta(days=366)

HR_SYSTEM: dict[str, frozenset[str]] = {
    "payouts:read": frozenset({"hr:read_payouts", "hr:read_deliveries"}),
    "payouts:acknowledge": frozenset({"hr:acknowledge_delivery"}),
}
"""What the company's HR system is given, and nothing else: scope -> actions."""

CREDENTIALS: frozenset[str] = frozenset(
    {
        *("issue_token", "invite_person", "manage_service_accounts"),
        *("manage_own_tokens", "revoke_token", "read_own_tokens", "read_tokens"),
        *("manage_sessions", "end_sessions", "read_sessions"),
    }
)
"""Actions no token may be used for: it would make others of its kind, or look at them."""

_ACTION = re.compile(r"(intake|dispatch|finance|hr):[a-z_]{1,60}")


def actions_of(scopes: Iterable[str], *, service_account: bool, role: str, may: Permissions) -> list[str]:
    """The actions (`service:action`) the scopes mean. Raises Malformed for one that cannot be given.

    hr knows its own actions and refuses what the role may not; the other services let a token do no more than its
    person's role may, whatever its scopes say.
    """
    actions: set[str] = set()
    for scope in scopes:
        if scope in HR_SYSTEM:
            actions |= HR_SYSTEM[scope]
        elif service_account or not _ACTION.fullmatch(scope) or not _may_be_given(scope, role=role, may=may):
            allowed = [*HR_SYSTEM] if service_account else [*HR_SYSTEM, "service:action of your role"]
            raise Malformed("unknown_scope", f"no token can be given the scope {scope!r}", allowed=allowed)
        else:
            actions.add(scope)
    return sorted(actions)


def _may_be_given(scope: str, *, role: str, may: Permissions) -> bool:
    service, _, action = scope.partition(":")
    return action not in CREDENTIALS and (service != "hr" or (action in may and role in may[action].own))


def check_expiry(expires_at: datetime, *, now: datetime) -> None:
    """Raises Malformed unless the token ends within a year."""
    if not now < expires_at <= now + LONGEST:
        raise Malformed("token_too_long", "a token ends after now and within a year")


def check_acts_as(person_id: UUID, *, issuer: UUID, simulated: bool) -> None:
    """Raises NotYourRole when somebody would get a token with which he acts as somebody else, but in a simulation."""
    if person_id != issuer and not simulated:
        raise NotYourRole(
            "only_in_a_simulation",
            "nobody gets a token that acts as another person; invite him to sign in himself",
            allowed=["POST /api/people/{person_id}/invitation"],
        )
