"""The callback clock runs out [R48, D3]."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.intake.models import CALLBACK, WARN, Request
from shared.bus.outbox import publish
from shared.messages import CallbackMissed


def warn_due(session: Session, *, now: datetime) -> int:
    """Two minutes are left: the desk and the department heads see it on their list of callbacks."""
    warned = session.scalars(
        update(Request)
        .where(Request.id.in_(WARN.claim(Request.id, now=now)))
        .values(warned_at=now)
        .returning(Request.id)
    )
    return len(warned.all())


def miss_due(session: Session, *, now: datetime) -> int:
    """Ten minutes are over and the owner was not reached in them: missed, told to hr, and counted for ever."""
    missed = session.execute(
        update(Request)
        .where(Request.id.in_(CALLBACK.claim(Request.id, now=now)))
        .values(callback_ended_at=now, callback_missed=True)
        .returning(Request.id, Request.number, Request.site_id, Request.recorded_by, Request.callback_due_at)
    ).all()
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
