"""An approved payout reaches hr, which pays it to the individual [R92-R94]."""

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.hr.actions import delivery
from services.hr.models import Payout, PayoutLine, Person
from services.hr.rules.payout import check_payout
from shared.bus.outbox import publish
from shared.errors import RuleBroken
from shared.messages import PayoutApproved, PayoutReceived
from shared.people import known_site

_PUT = text("""
    INSERT INTO payouts (settlement_id, site_id, month, net_fen, from_wage_fen, approved_by, approved_at, received_at)
    VALUES (:settlement_id, :site_id, :month, :net_fen, :from_wage_fen, :approved_by, :approved_at, :received_at)
    ON CONFLICT DO NOTHING RETURNING 1
""")


def approved(session: Session, message: PayoutApproved, *, now: datetime) -> None:
    """Store every line once and tell finance that we hold them; what does not add up is not paid."""
    known_site(session, message.site_id)
    check_payout(message.lines, net_fen=message.net_fen, from_wage_fen=message.from_wage_fen)
    ids = [line.person_id for line in message.lines]
    if session.execute(select(func.count()).where(Person.id.in_(ids))).scalar_one() != len(ids):
        raise RuleBroken("unknown_person", "the payout names somebody who never worked here", rule="R92")
    stored = session.execute(_PUT, message.model_dump(exclude={"lines"}) | {"received_at": now}).one_or_none()
    if stored is None:
        if session.get(Payout, message.settlement_id) is None:
            raise RuleBroken("paid_already", f"another settlement pays {message.month} at this site", rule="R92")
        return
    session.add_all(
        PayoutLine(settlement_id=message.settlement_id, **line.model_dump(exclude={"carried_fen", "guard", "jobs"}))
        for line in message.lines
    )
    delivery.make(session, message, now=now)
    publish(
        session,
        PayoutReceived(
            settlement_id=message.settlement_id,
            site_id=message.site_id,
            month=message.month,
            line_count=len(message.lines),
            net_fen=message.net_fen,
            received_at=now,
        ),
    )
