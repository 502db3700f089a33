"""Finding and telling what is held of an owner [D26]."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from services.intake.models import Request
from services.intake.queries.homes import phone_hashes
from services.intake.queries.requests import WHOLE, request_view
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class OwnersRequest:
    """A request of the owner asked for, by which the services are asked what they hold of him."""

    request_id: UUID
    number: str
    site_id: UUID
    state: str
    ended_at: datetime | None


def requests_of_owner(session: Session, actor: Actor, *, phone: str, address: str) -> list[OwnersRequest]:
    """Every request with this number, or of this home: the whole address, however it is spaced."""
    same: list[ColumnElement[bool]] = [Request.phone_hash.in_(phone_hashes(phone))]
    if address:
        same.append(Request.address_key == func.lower(func.regexp_replace(address, r"\s", "", "g")))
    query = (
        select(Request.id, Request.number, Request.site_id, Request.state, Request.ended_at)
        .where(or_(false(), *same), at_sites_of(actor, Request.site_id), Request.erased_at.is_(None))
        .order_by(Request.id)
    )
    return [OwnersRequest(*row) for row in session.execute(query)]


def held_of(session: Session, request_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """All that is held of these requests, the numbers in full."""
    session.flush()
    found = session.scalars(
        select(Request)
        .where(Request.id.in_(request_ids))
        .options(*WHOLE)
        .order_by(Request.id)
        .execution_options(populate_existing=True)
    )
    return [asdict(request_view(one)) | {"phone": one.phone} for one in found]
