"""Paid hours 有偿工时: the head hears of a worker who comes near the month's limit [R68]."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.dispatch.actions.alert import for_head
from services.dispatch.models import Person, WorkOrder
from services.dispatch.queries.hours import paid_hours
from services.dispatch.rules.hours import hours_of
from shared.alerts import raise_alerts


def warn(session: Session, order: WorkOrder, month: str, *, now: datetime) -> None:
    """A visit ended: the head is told of each of its workers who comes near his limit, once a month."""
    team = Person.id.in_([worker.person_id for worker in order.workers])
    # of two visits of one worker that end at once, the second counts the first
    session.execute(select(Person.id).where(team).order_by(Person.id).with_for_update(key_share=True))
    alerts = [
        for_head(
            "hours_near_limit",
            order,
            hours_of(did.person_id, month),
            person_id=str(did.person_id),
            name=did.name,
            month=month,
            minutes=did.minutes,
            limit_minutes=policy.limit_hours * 60,
        )
        for did, policy in paid_hours(session, team, month=month, now=now)
        if did.near_limit
    ]
    raise_alerts(session, alerts, now=now)
