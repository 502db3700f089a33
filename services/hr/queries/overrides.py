"""Overrides of duty first, which a case of neglect cites."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Override
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class OverrideView:
    """A head sent a worker whose duties were not done [D8]."""

    id: UUID
    request_id: UUID
    site_id: UUID
    department: str
    worker_id: UUID
    head_id: UUID
    reason: str
    overridden_at: datetime


def overrides(
    session: Session,
    actor: Actor,
    *,
    site_id: UUID | None = None,
    newest: bool = False,
    after: UUID | None,
    limit: int,
) -> Page[OverrideView]:
    """Overrides of duty first, as heard, of one site or all; the newest first where that is asked."""

    def view(o: Override) -> OverrideView:
        return OverrideView(
            o.id, o.request_id, o.site_id, o.department, o.worker_id, o.head_id, o.reason, o.overridden_at
        )

    query = select(Override).where(at_sites_of(actor, Override.site_id))
    if site_id is not None:
        query = query.where(Override.site_id == site_id)
    return page_of(
        session,
        query,
        Override.id,
        view,
        after=after,
        limit=limit,
        newest=newest,
    )
