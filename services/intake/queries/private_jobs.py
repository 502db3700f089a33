"""What the desk was told of paid jobs taken privately [R54]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import PrivateJobReport
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class PrivateJobView:
    """What the desk was told of a paid job taken privately [R54]."""

    id: UUID
    site_id: UUID
    person_id: UUID
    happened_at: datetime
    evidence: str
    reported_by: UUID
    reported_at: datetime


def private_jobs(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PrivateJobView]:
    """What was told of private jobs."""
    query = select(PrivateJobReport).where(at_sites_of(actor, PrivateJobReport.site_id))
    return page_of(session, query, PrivateJobReport.id, private_job_view, after=after, limit=limit)


def private_job_view(r: PrivateJobReport) -> PrivateJobView:
    """One report as shown."""
    return PrivateJobView(r.id, r.site_id, r.person_id, r.happened_at, r.evidence, r.reported_by, r.reported_at)
