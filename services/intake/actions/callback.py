"""The callback clock runs out [R48, D3]."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.intake.models import CALLBACK, WARN, Request
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.messages import CallbackMissed


def warn_due(session: Session, *, now: datetime) -> int:
    """Little time is left: the clerk who recorded it and the head of the department are told [D3]."""
    warned = session.execute(
        update(Request).where(Request.id.in_(WARN.claim(Request.id, now=now))).values(warned_at=now).returning(*_TOLD)
    ).all()
    raise_alerts(
        session,
        [
            alert
            for row in warned
            for alert in (
                Alert("callback_warning", row.site_id, row.id, person_id=row.recorded_by, facts=_facts(row)),
                _to_head("callback_warning", row),
            )
        ],
        now=now,
    )
    return len(warned)


_TOLD = (
    Request.id,
    Request.number,
    Request.site_id,
    Request.department,
    Request.recorded_by,
    Request.callback_due_at,
)


def _facts(row: Any) -> dict[str, str | int]:
    return {"number": row.number, "due_at": row.callback_due_at.isoformat()}


def _to_head(kind: str, row: Any) -> Alert:
    return Alert(kind, row.site_id, row.id, role="head", department=row.department, facts=_facts(row))


def miss_due(session: Session, *, now: datetime) -> int:
    """Ten minutes are over and the owner was not reached in them: missed, told to hr, counted for ever.

    The desk head and the head of the department are told at once [D3].
    """
    missed = session.execute(
        update(Request)
        .where(Request.id.in_(CALLBACK.claim(Request.id, now=now)))
        .values(callback_ended_at=now, callback_missed=True)
        .returning(*_TOLD)
    ).all()
    raise_alerts(
        session,
        [
            alert
            for row in missed
            for alert in (
                Alert("callback_missed", row.site_id, row.id, role="desk_head", facts=_facts(row)),
                _to_head("callback_missed", row),
            )
        ],
        now=now,
    )
    publish(
        session,
        *(
            CallbackMissed(
                request_id=row.id,
                request_number=row.number,
                site_id=row.site_id,
                clerk_id=row.recorded_by,
                due_at=row.callback_due_at,
            )
            for row in missed
        ),
    )
    return len(missed)
