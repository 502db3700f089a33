"""Month reports of the administration department."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.hr.models import MonthReport, Site
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


def _report_view(r: MonthReport) -> ReportView:
    lines = [ReportLine.model_validate(line) for line in r.lines]
    return ReportView(r.id, r.site_id, r.month, r.report, r.reported_at, lines)


def reports(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[ReportView]:
    """Month reports, as received by the administration department."""
    query = select(MonthReport).where(at_sites_of(actor, MonthReport.site_id))
    return page_of(session, query, MonthReport.id, _report_view, after=after, limit=limit)


def reports_of(session: Session, actor: Actor, *, month: str) -> list[ReportView]:
    """The reports of a month, one for each site of the person asking that has sent its own, by the site's code."""
    query = (
        select(MonthReport)
        .join(Site, Site.id == MonthReport.site_id)
        .where(at_sites_of(actor, MonthReport.site_id), MonthReport.month == month)
        .order_by(Site.code)
    )
    return [_report_view(report) for report in session.scalars(query)]


def last_month_reported(session: Session, actor: Actor) -> str | None:
    """The last month of which a report of the person's sites is here."""
    last = select(func.max(MonthReport.month)).where(at_sites_of(actor, MonthReport.site_id))
    return session.execute(last).scalar_one()
