"""The month's statistics, compared line by line, and who signed them [R40, R41]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from services.intake.models import LineEntry, Month, MonthSignature, Person, Site
from services.intake.rules.statistics import SIGNABLE, Line, Said, compare
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class SignatureView:
    """A department's signature under the month's statistics."""

    department: str
    signed_by: UUID
    name: str
    signed_at: datetime


@dataclass(frozen=True)
class LineEntryView:
    """Something said of a line: disputed, a figure proposed, accepted."""

    department: str
    item: str
    step: str
    figure: int | None
    note: str
    by: UUID
    by_department: str
    at: datetime


@dataclass(frozen=True)
class MonthView:
    """A month's statistics: the lines and what was said of them, who signed, the report once all four have."""

    site_id: UUID
    month: str
    closes_at: datetime
    asked_at: datetime | None
    agreed_at: datetime | None
    lines: list[Line]
    all_agree: bool
    signed: list[str]
    signatures: list[SignatureView]
    entries: list[LineEntryView]
    report: dict[str, int] | None


_OURS = text("""
    SELECT site_id, department, 'accepted' AS item, count(*) AS value FROM visits
    WHERE site_id = ANY(:site_ids) AND round = 0 AND accepted_month = :month GROUP BY site_id, department
    UNION ALL
    SELECT site_id, department, 'terminated', count(*) FROM visits
    WHERE site_id = ANY(:site_ids) AND round = 0 AND terminated_month = :month GROUP BY site_id, department
    UNION ALL
    SELECT site_id, department, 'receipts', count(*) FROM requests
    WHERE site_id = ANY(:site_ids) AND received_month = :month GROUP BY site_id, department
    UNION ALL
    SELECT site_id, department, 'received_fen', sum(fen) FROM (
        SELECT site_id, department, received_fen AS fen FROM requests
        WHERE site_id = ANY(:site_ids) AND received_month = :month
        UNION ALL
        SELECT site_id, department, -amount_fen FROM fee_refunds WHERE site_id = ANY(:site_ids) AND month = :month
    ) AS moved GROUP BY site_id, department
""")

# figures given to an earlier asking are not what was asked for now: until the answer comes there are none
_THEIRS = text("""
    SELECT site_id, department, item, value FROM month_figures f JOIN months m USING (site_id, month)
    WHERE site_id = ANY(:site_ids) AND month = :month AND f.asked_at >= m.asked_at
""")


def month_lines(session: Session, site_id: UUID, month: str) -> list[Line]:
    """The month's comparison, line by line, each where what was said of it has brought it [R41]."""
    return _lines(session, [site_id], month, _entries(session, [site_id], month))[site_id]


def _entries(session: Session, site_ids: Sequence[UUID], month: str) -> dict[UUID, list[LineEntry]]:
    session.flush()
    query = select(LineEntry).where(LineEntry.site_id.in_(site_ids), LineEntry.month == month)
    entries: dict[UUID, list[LineEntry]] = {site_id: [] for site_id in site_ids}
    for entry in session.scalars(query.order_by(LineEntry.sequence)):
        entries[entry.site_id].append(entry)
    return entries


def _lines(
    session: Session, site_ids: Sequence[UUID], month: str, entries: Mapping[UUID, Sequence[LineEntry]]
) -> dict[UUID, list[Line]]:
    ours, theirs = _figures(session, _OURS, site_ids, month), _figures(session, _THEIRS, site_ids, month)
    return {
        site_id: compare(
            ours[site_id],
            theirs[site_id],
            [Said(entry.department, entry.item, entry.step, entry.figure, entry.note) for entry in entries[site_id]],
        )
        for site_id in site_ids
    }


def _figures(
    session: Session, statement: TextClause, site_ids: Sequence[UUID], month: str
) -> dict[UUID, dict[tuple[str, str], int]]:
    figures: dict[UUID, dict[tuple[str, str], int]] = {site_id: {} for site_id in site_ids}
    for row in session.execute(statement, {"site_ids": site_ids, "month": month}):
        figures[row.site_id][row.department, row.item] = int(row.value)
    return figures


def months(session: Session, actor: Actor, *, month: str) -> list[MonthView]:
    """A month at each of the person's sites, by the sites' codes."""
    query = select(Month).join(Site, Site.id == Month.site_id).where(Month.month == month)
    found = session.scalars(query.where(at_sites_of(actor, Month.site_id)).order_by(Site.code)).all()
    site_ids = [one.site_id for one in found]
    entries, signatures = _entries(session, site_ids, month), signatures_of(session, site_ids, month)
    lines = _lines(session, site_ids, month, entries)
    return [_month_view(m, lines[m.site_id], signatures[m.site_id], entries[m.site_id]) for m in found]


def signatures_of(session: Session, site_ids: Sequence[UUID], month: str) -> dict[UUID, list[SignatureView]]:
    """Who signed the month at each of these sites."""
    signatures: dict[UUID, list[SignatureView]] = {site_id: [] for site_id in site_ids}
    query = select(MonthSignature, Person.name).join(Person, Person.id == MonthSignature.signed_by)
    query = query.where(MonthSignature.month == month, MonthSignature.site_id.in_(site_ids))
    for row, name in session.execute(query.order_by(MonthSignature.department)):
        signatures[row.site_id].append(SignatureView(row.department, row.signed_by, name, row.signed_at))
    return signatures


def _month_view(
    found: Month, lines: list[Line], signatures: list[SignatureView], entries: Sequence[LineEntry]
) -> MonthView:
    return MonthView(
        found.site_id,
        found.month,
        found.closes_at,
        found.asked_at,
        found.agreed_at,
        lines,
        all(line.state in SIGNABLE for line in lines),
        [signature.department for signature in signatures],
        signatures,
        [LineEntryView(e.department, e.item, e.step, e.figure, e.note, e.by, e.by_department, e.at) for e in entries],
        found.report,
    )
