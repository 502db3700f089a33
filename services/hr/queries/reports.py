"""Month reports of the administration department."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import MonthReport
from shared.access import at_sites_of
from shared.messages import ReportLine
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class ReportView:
    """A site's statistics of a month [R42, R43]."""

    id: UUID
    site_id: UUID
    month: str
    report: dict[str, int]
    reported_at: datetime
    lines: list[ReportLine]


def reports(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[ReportView]:
    """Month reports, as received by the administration department."""

    def view(r: MonthReport) -> ReportView:
        return ReportView(
            r.id,
            r.site_id,
            r.month,
            r.report,
            r.reported_at,
            [ReportLine.model_validate(line) for line in r.lines],
        )

    return page_of(
        session,
        select(MonthReport).where(at_sites_of(actor, MonthReport.site_id)),
        MonthReport.id,
        view,
        after=after,
        limit=limit,
    )
