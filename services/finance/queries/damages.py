"""Damage done on visits, which a loss may cite [R63, R74]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.models import Damage
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class DamageView:
    """Damage done on a visit, as the department reported it."""

    damage_id: UUID
    request_id: UUID
    round: int
    site_id: UUID
    department: str
    description: str
    estimate_fen: int | None
    reported_by: UUID
    reported_at: datetime


def _damage_view(damage: Damage) -> DamageView:
    return DamageView(
        damage_id=damage.damage_id,
        request_id=damage.request_id,
        round=damage.round,
        site_id=damage.site_id,
        department=damage.department,
        description=damage.description,
        estimate_fen=damage.estimate_fen,
        reported_by=damage.reported_by,
        reported_at=damage.reported_at,
    )


def damages(
    session: Session, actor: Actor, *, after: UUID | None, limit: int, newest: bool = False
) -> Page[DamageView]:
    """Damage reported on visits [R63, R74]."""
    query = select(Damage).where(at_sites_of(actor, Damage.site_id))
    return page_of(session, query, Damage.damage_id, _damage_view, after=after, limit=limit, newest=newest)
