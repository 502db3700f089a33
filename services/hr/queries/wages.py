"""Wages, now and before."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.hr.models import Wage
from services.hr.queries.posts import check_seen
from shared.people import Actor


@dataclass(frozen=True)
class WageView:
    """A monthly wage (fen) from a moment on."""

    person_id: UUID
    version: int
    monthly_wage_fen: int
    changed_by: UUID
    changed_at: datetime


def wage_view(w: Wage) -> WageView:
    """A wage as shown."""
    return WageView(w.person_id, w.version, w.monthly_wage_fen, w.changed_by, w.changed_at)


def wages(session: Session, actor: Actor, person_id: UUID) -> list[WageView]:
    """A person's wages, oldest first. Raises NotFound for people of other sites."""
    check_seen(session, actor, person_id)
    query = select(Wage).where(Wage.person_id == person_id).order_by(Wage.version)
    return [wage_view(wage) for wage in session.scalars(query)]
