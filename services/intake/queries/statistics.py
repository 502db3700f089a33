"""The month's statistics, compared line by line, and who signed them [R40, R41]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
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
    SELECT department, 'accepted' AS item, count(*) AS value FROM visits
    WHERE site_id = :site_id AND round = 0 AND accepted_month = :month GROUP BY department
    UNION ALL
    SELECT department, 'terminated', count(*) FROM visits
    WHERE site_id = :site_id AND round = 0 AND terminated_month = :month GROUP BY department
    UNION ALL
    SELECT department, 'receipts', count(*) FROM requests
    WHERE site_id = :site_id AND received_month = :month GROUP BY department
    UNION ALL
    SELECT department, 'received_fen', sum(fen) FROM (
        SELECT department, received_fen AS fen FROM requests WHERE site_id = :site_id AND received_month = :month
        UNION ALL
        SELECT department, -amount_fen FROM fee_refunds WHERE site_id = :site_id AND month = :month
    ) AS moved GROUP BY department
""")


_THEIRS = text("SELECT department, item, value FROM month_figures WHERE site_id = :site_id AND month = :month")


def _figures(session: Session, statement: Any, site_id: UUID, month: str) -> dict[tuple[str, str], int]:
    rows = session.execute(statement, {"site_id": site_id, "month": month})
    return {(row.department, row.item): int(row.value) for row in rows}


def month_lines(session: Session, site_id: UUID, month: str) -> list[Line]:
    """The month's comparison, line by line, each where what was said of it has brought it [R41]."""
    return _lines(session, site_id, month, _entries(session, site_id, month))


def _entries(session: Session, site_id: UUID, month: str) -> Sequence[LineEntry]:
    session.flush()
    query = select(LineEntry).where(LineEntry.site_id == site_id, LineEntry.month == month).order_by(LineEntry.id)
    return session.scalars(query).all()


def _lines(session: Session, site_id: UUID, month: str, entries: Sequence[LineEntry]) -> list[Line]:
    return compare(
        _figures(session, _OURS, site_id, month),
        _figures(session, _THEIRS, site_id, month),
        [Said(entry.department, entry.item, entry.step, entry.figure, entry.note) for entry in entries],
    )


def months(session: Session, actor: Actor, *, month: str) -> list[MonthView]:
    """A month at each of the person's sites."""
    query = (
        select(Month, Site.code)
        .join(Site, Site.id == Month.site_id)
        .where(Month.month == month, at_sites_of(actor, Month.site_id))
        .order_by(Site.code)
    )
    signatures = signatures_of(session, actor, month)
    return [month_view(session, found, signatures.get(found.site_id, [])) for found, _ in session.execute(query)]


def signatures_of(session: Session, actor: Actor, month: str) -> dict[UUID, list[SignatureView]]:
    """Who signed the month at each of the person's sites."""
    signatures: dict[UUID, list[SignatureView]] = {}
    for row, name in session.execute(
        select(MonthSignature, Person.name)
        .join(Person, Person.id == MonthSignature.signed_by)
        .where(MonthSignature.month == month, at_sites_of(actor, MonthSignature.site_id))
        .order_by(MonthSignature.department)
    ):
        signature = SignatureView(row.department, row.signed_by, name, row.signed_at)
        signatures.setdefault(row.site_id, []).append(signature)
    return signatures


def month_view(session: Session, found: Month, signatures: list[SignatureView]) -> MonthView:
    """One month as shown."""
    entries = _entries(session, found.site_id, found.month)
    lines = _lines(session, found.site_id, found.month, entries)
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
