"""Findings of regular work left undone for paid work [R51, R78]."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.dispatch.models import Neglect


@dataclass(frozen=True)
class NeglectView:
    """Regular work found undone because of paid work, and the head who answers for it [R78]."""

    id: UUID
    worker_id: UUID
    day: date
    site_id: UUID
    department: str
    head_id: UUID
    override_id: UUID | None
    reason: str
    found_by: UUID
    found_at: datetime


def neglect_view(found: Neglect) -> NeglectView:
    """One finding as shown."""
    return NeglectView(
        found.id,
        found.worker_id,
        found.day,
        found.site_id,
        found.department,
        found.head_id,
        found.override_id,
        found.reason,
        found.found_by,
        found.found_at,
    )
