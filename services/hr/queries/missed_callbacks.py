"""Owners who were not called back in time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import MissedCallback
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class MissedCallbackView:
    """An owner who was not called back by `due_at` [R48]."""

    request_id: UUID
    request_number: str
    site_id: UUID
    clerk_id: UUID
    due_at: datetime


def missed_callbacks(
    session: Session,
    actor: Actor,
    *,
    site_id: UUID | None = None,
    newest: bool = False,
    after: UUID | None,
    limit: int,
) -> Page[MissedCallbackView]:
    """Missed callbacks, as heard, of one site or all; the newest first where that is asked."""

    def view(m: MissedCallback) -> MissedCallbackView:
        return MissedCallbackView(m.request_id, m.request_number, m.site_id, m.clerk_id, m.due_at)

    query = select(MissedCallback).where(at_sites_of(actor, MissedCallback.site_id))
    if site_id is not None:
        query = query.where(MissedCallback.site_id == site_id)
    return page_of(
        session,
        query,
        MissedCallback.request_id,
        view,
        after=after,
        limit=limit,
        newest=newest,
    )
