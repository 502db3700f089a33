"""The link to an owner's own page: a secret that the desk hands to him [R17, R37, D26]."""

from datetime import datetime
from secrets import token_urlsafe
from uuid import UUID

from sqlalchemy.orm import Session

from services.intake.models import Request
from services.intake.rules.owner import link_opens
from shared.errors import NotFound, RuleBroken
from shared.people import Actor, hash_token

CODE_BYTES = 16


def give_link(request: Request) -> None:
    """A new secret for the owner's page; the one before opens nothing any more."""
    code = token_urlsafe(CODE_BYTES)
    request.link, request.link_hash = code, hash_token(code)


def renew_link(session: Session, *, request_id: UUID, actor: Actor, now: datetime) -> Request:
    """The owner gets another link, as when the first came into wrong hands. Raises NotFound, RuleBroken."""
    request = session.get(Request, request_id, with_for_update=True)
    if request is None or not actor.sees(request.site_id):
        raise NotFound("request", request_id)
    if request.erased_at is not None or not link_opens(request.ended_at, now=now):
        raise RuleBroken("request_ended", f"the request is {request.state}: its owner's page is closed", rule="D26")
    give_link(request)
    return request
