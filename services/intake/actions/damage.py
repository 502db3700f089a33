"""Damage done on a visit, as the department reports it [R63, D24]."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.actions.request import request_of_message
from shared.alerts import Alert, raise_alerts
from shared.messages import DamageReported
from shared.privacy import ERASED

_PUT = text("""
    INSERT INTO damages (id, request_id, round, site_id, department, description, estimate_fen,
                         reported_by, reported_at)
    VALUES (:damage_id, :request_id, :round, :site_id, :department, :description, :estimate_fen,
            :reported_by, :reported_at)
    ON CONFLICT DO NOTHING
""")


def reported(session: Session, message: DamageReported, *, now: datetime) -> None:
    """Keep it with its request and tell the desk head, who answers for it to the owner; a repeat changes nothing."""
    request = request_of_message(session, message.request_id)
    erased = {"description": ERASED} if request.erased_at is not None else {}
    session.execute(_PUT, message.model_dump() | erased)
    raise_alerts(
        session,
        [
            Alert(
                "damage_reported",
                request.site_id,
                message.damage_id,
                role="desk_head",
                facts={"number": request.number, "request_id": str(request.id), "department": message.department},
            )
        ],
        now=now,
    )
