"""What every page under an owner's link asks of whoever comes: he has no session, and is known by the link alone."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from shared.csrf import CrossSite, check_same_origin, same_token

RATE = "60/minute"
"""How often one link is used, from wherever."""

LINK_DAYS = 30
"""So long after a job ended its link still opens."""


def link_opens(ended_at: datetime | None, *, now: datetime) -> bool:
    """Whether an owner's link still opens what is shown of a job that ended then, or has not."""
    return ended_at is None or now < ended_at + timedelta(days=LINK_DAYS)


def token_of(code: str) -> str:
    """What a form of this link's page sends with it; it tells nothing of the link."""
    return hmac.new(code.encode(), b"bianmin owner", "sha256").hexdigest()


def check_form(request: Request, posted: Mapping[str, Any]) -> str:
    """The secret a posted form brings. Raises CrossSite for a form that no page of this link sent."""
    code = str(posted.get("code", ""))
    check_same_origin(request)
    if not same_token(str(posted.get("csrf", "")), token_of(code)):
        raise CrossSite("wrong_csrf_token", "the page of the link sends its token with it", allowed=["csrf"])
    return code


def cause_by_link(request: Request) -> str:
    """What the audit log says of who it was."""
    return f"owner by link: {request.method} {request.scope['route'].path}"
