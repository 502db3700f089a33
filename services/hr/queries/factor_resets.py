"""Second factors that were proposed to be taken away."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import FactorReset, Person
from services.hr.queries.posts import works_at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class FactorResetView:
    """A proposal, and whether another confirmed it."""

    id: UUID
    person_id: UUID
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    expires_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None


def factor_reset_view(r: FactorReset) -> FactorResetView:
    """A proposal as shown."""
    return FactorResetView(
        id=r.id,
        person_id=r.person_id,
        reason=r.reason,
        proposed_by=r.proposed_by,
        proposed_at=r.proposed_at,
        expires_at=r.expires_at,
        confirmed_by=r.confirmed_by,
        confirmed_at=r.confirmed_at,
    )


def factor_resets(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[FactorResetView]:
    """Those of people of the person's sites, confirmed or not."""
    query = select(FactorReset).join(Person, Person.id == FactorReset.person_id).where(works_at_sites_of(actor))
    return page_of(session, query, FactorReset.id, factor_reset_view, after=after, limit=limit)
