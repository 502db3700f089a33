"""Damage on visits [R63, D24]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.models import Damage


@dataclass(frozen=True)
class DamageView:
    """What was damaged on a visit, and its estimated worth (fen) [R63]."""

    id: UUID
    description: str
    estimate_fen: int | None
    reported_by: UUID
    reported_at: datetime


def damage_view(damage: Damage) -> DamageView:
    """One damage as shown."""
    return DamageView(damage.id, damage.description, damage.estimate_fen, damage.reported_by, damage.reported_at)
