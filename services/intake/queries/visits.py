"""Visits to the home as the departments report them [R30-R32, R39]."""

from dataclasses import dataclass
from datetime import datetime

from services.intake.models import Visit


@dataclass(frozen=True)
class VisitView:
    """One visit as the department reports it; `round` 0 is the paid one."""

    round: int
    ordered_at: datetime
    acknowledged_at: datetime | None
    assigned_at: datetime | None
    workers: list[str]
    support_reason: str | None
    arrived_late: bool | None
    signer_name: str | None
    accepted_at: datetime | None
    accepted_month: str | None
    terminated_at: datetime | None
    cause: str | None
    reason: str | None


def visit_view(visit: Visit) -> VisitView:
    """One visit as shown."""
    return VisitView(
        round=visit.round,
        ordered_at=visit.ordered_at,
        acknowledged_at=visit.acknowledged_at,
        assigned_at=visit.assigned_at,
        workers=[worker["name"] for worker in visit.workers or []],
        support_reason=visit.support_reason,
        arrived_late=visit.arrived_late,
        signer_name=visit.signer_name,
        accepted_at=visit.accepted_at,
        accepted_month=visit.accepted_month,
        terminated_at=visit.terminated_at,
        cause=visit.cause,
        reason=visit.reason,
    )
