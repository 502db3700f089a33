"""Deliveries are made of payouts, and the HR system acknowledges them [R92]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.hr.actions import webhook
from services.hr.models import Company, Delivery
from services.hr.rules.delivery import body_of, payload_of
from shared.errors import NotFound, RuleBroken
from shared.messages import PayoutApproved
from shared.people import Actor, known_site

_ACKNOWLEDGE = text("""
    INSERT INTO delivery_acknowledgements (delivery_id, acknowledged_by, acknowledged_at, reference)
    VALUES (:delivery_id, :acknowledged_by, :acknowledged_at, :reference)
    ON CONFLICT DO NOTHING RETURNING 1
""")


def make(session: Session, payout: PayoutApproved, *, now: datetime) -> None:
    """A payout received makes one delivery, next in the company's sequence, for every webhook it concerns."""
    session.execute(select(Company.only_row).with_for_update())  # one at a time, so that the sequence has no gaps
    sequence = session.execute(select(func.coalesce(func.max(Delivery.sequence), 0) + 1)).scalar_one()
    site = known_site(session, payout.site_id)
    made = Delivery(
        id=payout.settlement_id,
        sequence=sequence,
        site_id=payout.site_id,
        month=payout.month,
        line_count=len(payout.lines),
        net_fen=payout.net_fen,
        from_wage_fen=payout.from_wage_fen,
        body=body_of(payload_of(payout, site_code=site.code, sequence=sequence)),
        made_at=now,
    )
    session.add(made)
    session.flush()
    webhook.push(session, made, now=now)


def acknowledge(session: Session, *, delivery_id: UUID, reference: str | None, actor: Actor, now: datetime) -> None:
    """The HR system has taken the delivery, once."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or not actor.sees(delivery.site_id):
        raise NotFound("delivery", delivery_id)
    said = {
        "delivery_id": delivery_id,
        "acknowledged_by": actor.person_id,
        "acknowledged_at": now,
        "reference": reference,
    }
    if session.execute(_ACKNOWLEDGE, said).one_or_none() is None:
        raise RuleBroken("acknowledged_already", "this delivery has been acknowledged", rule="R92")
