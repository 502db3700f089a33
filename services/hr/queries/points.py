"""Appraisal points, where a site takes points instead of money."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from services.hr.models import Case
from shared.access import at_sites_of
from shared.people import Actor


@dataclass(frozen=True)
class PointsView:
    """Appraisal points a fine became, where the site takes no money [D19]."""

    case_id: UUID
    case_number: str
    site_id: UUID
    person_id: UUID
    person_name: str
    month: str
    points: int


def points(session: Session, actor: Actor, *, person_id: UUID | None, month: str | None) -> list[PointsView]:
    """Points of a person, a month, or all, in the order the cases were opened [D19]."""
    query = (
        select(Case)
        .where(at_sites_of(actor, Case.site_id), Case.points.is_not(None))
        .options(joinedload(Case.person))
        .order_by(Case.id)
    )
    if person_id is not None:
        query = query.where(Case.person_id == person_id)
    if month is not None:
        query = query.where(Case.month == month)
    return [
        PointsView(c.id, c.number, c.site_id, c.person_id, c.person.name, c.month or "", c.points or 0)
        for c in session.scalars(query)
    ]
