"""Something of the owner's was damaged on a visit [R63, D24]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.dispatch.actions.alert import for_head
from services.dispatch.actions.work_order import work_order_for
from services.dispatch.models import Damage
from services.dispatch.rules.damage import check_damage
from shared.alerts import raise_alerts
from shared.bus.outbox import publish
from shared.ids import new_id
from shared.messages import DamageReported
from shared.people import Actor


def report(
    session: Session, *, work_order_id: UUID, description: str, estimate_fen: int | None, actor: Actor, now: datetime
) -> Damage:
    """Something of the owner's was damaged, found during the visit or after it: desk, finance and head hear [R63]."""
    order = work_order_for(session, actor, work_order_id)
    check_damage(order.arrived_at)
    damage = Damage(
        id=new_id(),
        work_order_id=order.id,
        description=description,
        estimate_fen=estimate_fen,
        reported_by=actor.person_id,
        reported_at=now,
    )
    session.add(damage)
    raise_alerts(session, [for_head("damage_reported", order, damage.id)], now=now)
    publish(
        session,
        DamageReported(
            damage_id=damage.id,
            request_id=order.request_id,
            round=order.round,
            site_id=order.site_id,
            department=order.department,
            description=description,
            estimate_fen=estimate_fen,
            reported_by=actor.person_id,
            reported_at=now,
        ),
    )
    return damage
