"""The link to an owner's own page: a secret that the desk hands to him [R17, R37, D26]."""

from datetime import datetime
from secrets import token_urlsafe
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import Notice, Request
from shared.bus.outbox import publish
from shared.errors import NotFound, RuleBroken
from shared.messages import OwnerLinkGiven
from shared.owner_link import link_opens
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
    if session.scalar(select(Notice.id).where(Notice.request_id == request.id)) is not None:
        tell_link(session, request, now=now)
    return request


def tell_link(session: Session, request: Request, *, now: datetime) -> None:
    """The department knows by which link the owner comes to sign; never the link itself [R32]."""
    if request.link_hash is not None:
        publish(
            session,
            OwnerLinkGiven(request_id=request.id, site_id=request.site_id, link_hash=request.link_hash, given_at=now),
        )
