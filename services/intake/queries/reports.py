"""The month's report to the administration department [R42, R43]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.models import Month
from services.intake.queries.statistics import SignatureView, month_lines, signatures_of
from services.intake.rules.report import Whose, report_lines, site_totals
from services.intake.rules.statistics import Item, Line
from shared.calendar import first_day, last_day, moment
from shared.errors import NotFound
from shared.messages import ReportLine
from shared.people import Actor, Site, site_for


@dataclass(frozen=True)
class ReportView:
    """A site's report of a month; a draft while `agreed_at` is empty [R42, R43]."""

    site_id: UUID
    site_code: str
    site_name: str
    zone: str
    month: str
    agreed_at: datetime | None
    signatures: list[SignatureView]
    report: dict[str, int]
    lines: list[ReportLine]


# each request counts for the site, for the desk, and for the clerk who recorded it
_CLERKS = text("""
    SELECT whose.department, whose.person_id, coalesce(max(p.name), '') AS name,
           count(*) AS requests,
           count(*) FILTER (WHERE state = 'refused') AS refused,
           count(*) FILTER (WHERE callback_due_at IS NOT NULL) AS callbacks,
           count(*) FILTER (WHERE reached_at <= callback_due_at) AS callbacks_kept,
           count(*) FILTER (WHERE callback_missed) AS callbacks_missed
    FROM requests r
    CROSS JOIN LATERAL (VALUES (NULL, NULL::uuid), ('front_desk', NULL), ('front_desk', r.recorded_by))
        AS whose (department, person_id)
    LEFT JOIN people p ON p.id = whose.person_id
    WHERE r.site_id = :site_id AND r.month = :month GROUP BY whose.department, whose.person_id
""")


_REGISTERED = text("""
    SELECT department,
           CASE WHEN GROUPING(channel) = 0 THEN 'channel.' || channel
                WHEN GROUPING(trade) = 0 THEN 'trade.' || trade
                ELSE 'requests' END AS item,
           count(*) AS value
    FROM requests WHERE site_id = :site_id AND month = :month
    GROUP BY GROUPING SETS ((channel), (trade), (department))
    HAVING GROUPING(department) = 1 OR department IS NOT NULL
""")


# a visit counts for its site, for its department, and for each of its workers
_COUNTED_FOR = """
    CROSS JOIN LATERAL (
        VALUES (NULL, NULL::uuid, ''), (v.department, NULL, '')
        UNION ALL
        SELECT v.department, person_id, name
        FROM jsonb_to_recordset(coalesce(nullif(v.workers, 'null'), '[]')) AS w (person_id uuid, name text)
        WHERE person_id IS NOT NULL
    ) AS whose (department, person_id, name)
"""


_VISITS = text(f"""
    SELECT whose.department, whose.person_id, max(whose.name) AS name,
           count(*) FILTER (WHERE v.round = 0) AS accepted,
           count(*) FILTER (WHERE v.round > 0) AS rework_rounds,
           count(*) FILTER (WHERE NOT v.arrived_late) AS arrived_in_time,
           count(*) FILTER (WHERE v.arrived_late) AS arrived_late
    FROM visits v {_COUNTED_FOR}
    WHERE v.site_id = :site_id AND v.accepted_month = :month GROUP BY whose.department, whose.person_id
""")  # noqa: S608  # our own words


# v is the first visit: it is judged, whoever did the rework, and by what the owner said before any
_REVISITS = text(f"""
    SELECT whose.department, whose.person_id, max(whose.name) AS name,
           count(r.satisfied) FILTER (WHERE r.round = 0) AS first_revisits,
           count(*) FILTER (WHERE r.round = 0 AND r.satisfied) AS satisfied_at_first,
           count(*) FILTER (WHERE r.round = 0 AND r.price_as_agreed) AS price_as_agreed,
           round(100 * avg(r.quality) FILTER (WHERE r.round = 0)) AS quality_x100,
           round(100 * avg(r.attitude) FILTER (WHERE r.round = 0)) AS attitude_x100,
           count(*) FILTER (WHERE NOT r.satisfied) AS reworks_caused,
           round(1000.0 * count(*) FILTER (WHERE r.round = 0 AND NOT r.satisfied)
                 / nullif(count(r.satisfied) FILTER (WHERE r.round = 0), 0)) AS rework_permille,
           count(*) FILTER (WHERE r.satisfied IS NULL) AS unreachable
    FROM revisits r JOIN visits v ON v.request_id = r.request_id AND v.round = 0 {_COUNTED_FOR}
    WHERE r.site_id = :site_id AND r.done_month = :month GROUP BY whose.department, whose.person_id
""")  # noqa: S608  # our own words


# a notice is declined at a moment: those of a month lie from closing time before its first day to that of its last
_DECLINED = text("""
    SELECT whose.department, NULL::uuid AS person_id, '' AS name, count(*) AS declined
    FROM declines d CROSS JOIN LATERAL (VALUES (NULL), (d.department)) AS whose (department)
    WHERE d.site_id = :site_id AND d.declined_at >= :begins_at AND d.declined_at < :ends_at
    GROUP BY whose.department
""")


def month_report(session: Session, site: Site, month: str, agreed: Sequence[Line]) -> list[ReportLine]:
    """The report to the administration department: agreed lines, callbacks, punctuality, quality [R42, R43].

    A revisit counts in the month in which the owner was asked, everything else in that of the fact.
    """
    keys = {
        "site_id": site.id,
        "month": month,
        "begins_at": moment(first_day(month) - timedelta(days=1), site.closing, site.zone),
        "ends_at": moment(last_day(month), site.closing, site.zone),
    }
    figures: dict[Whose, dict[str, int | None]] = {}
    names: dict[UUID, str] = {}

    def add(department: str | None, person_id: UUID | None, values: Mapping[str, Any]) -> None:
        counted = {item: None if value is None else int(value) for item, value in values.items()}
        figures.setdefault((department, person_id), {}).update(counted)

    for statement in (_VISITS, _REVISITS, _CLERKS, _DECLINED):
        for row in session.execute(statement, keys).mappings():
            values = {item: value for item, value in row.items() if item not in {"department", "person_id", "name"}}
            add(row["department"], row["person_id"], values)
            if row["person_id"] is not None:
                names[row["person_id"]] = row["name"]
    for one in session.execute(_REGISTERED, keys):
        add(one.department, None, {one.item: one.value})
    for line in agreed:
        add(line.department, None, {line.item: line.counts})
    add(None, None, {item: sum(line.counts for line in agreed if line.item is item) for item in Item})
    return report_lines(figures, names)


def report(session: Session, actor: Actor, *, site_id: UUID, month: str) -> ReportView:
    """A site's report of a month as it was agreed, or as it stands. Raises NotFound."""
    site = site_for(session, actor, site_id)
    found = session.get(Month, (site_id, month))
    if found is None:
        raise NotFound("month", month)
    lines = (
        month_report(session, site, month, month_lines(session, site_id, month))
        if found.report_lines is None
        else [ReportLine.model_validate(line) for line in found.report_lines]
    )
    totals = site_totals(lines) if found.report is None else found.report
    signatures = signatures_of(session, [site_id], month)[site_id]
    return ReportView(site_id, site.code, site.name, site.zone, month, found.agreed_at, signatures, totals, lines)
