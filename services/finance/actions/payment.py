"""What HR says of each line of a payout: paid, or why it could not be [R92]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.models import PayoutFailure, Settlement, SettlementLine
from services.finance.rules.ledger import JournalKind, payout_paid
from services.finance.rules.reopening import LOCKED
from services.finance.rules.settlement import check_paid
from shared.alerts import Alert, raise_alerts
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import PayoutFailed, PayoutPaid


def paid(session: Session, message: PayoutPaid, *, now: datetime) -> None:
    """HR paid a person: his line is paid and the money has left the bank, once [R92].

    Raises RuleBroken for another sum than approved, or a second payment of the same line.
    """
    settlement, line = _line(session, message.settlement_id, message.person_id)
    check_paid(net_fen=line.net_fen, paid_fen=message.net_fen)
    if line.payment_reference == message.reference:
        return
    if line.paid_at is not None:
        raise RuleBroken("paid_twice", f"paid already, by {line.payment_reference}", rule="R92")
    line.paid_at, line.payment_reference = message.paid_at, message.reference
    post(
        session,
        site_id=settlement.site_id,
        kind=JournalKind.PAYMENT,
        reference=f"{message.settlement_id}/{message.person_id}",
        lines=payout_paid(line.net_fen, person_id=message.person_id),
        now=now,
    )


def failed(session: Session, message: PayoutFailed, *, now: datetime) -> None:
    """HR could not pay a person: finance is told, once for each attempt; a later payment clears it [R92].

    An attempt that failed before the payment we know of is only kept. Raises RuleBroken for one that failed after it.
    """
    settlement, line = _line(session, message.settlement_id, message.person_id)
    if line.paid_at is not None and line.paid_at < message.failed_at:
        raise RuleBroken("paid_already", f"paid already, by {line.payment_reference}", rule="R92")
    facts = message.model_dump(include={"settlement_id", "person_id", "attempt", "cause", "reason", "failed_at"})
    kept = session.scalars(
        insert(PayoutFailure)
        .values(id=new_id(), **facts)
        .on_conflict_do_nothing(
            index_elements=[PayoutFailure.settlement_id, PayoutFailure.person_id, PayoutFailure.attempt]
        )
        .returning(PayoutFailure.id)
    ).one_or_none()
    if kept is None or line.paid_at is not None:
        return
    alert = Alert(
        "payout_failed",
        settlement.site_id,
        kept,
        role="finance_lead",
        facts={
            "name": line.name,
            "net_fen": line.net_fen,
            "attempt": message.attempt,
            "cause": message.cause,
            "reason": message.reason,
        },
    )
    raise_alerts(session, [alert], now=now)


def _line(session: Session, settlement_id: UUID, person_id: UUID) -> tuple[Settlement, SettlementLine]:
    """An approved payout and its line, locked. Raises NotYet while it is not approved here, RuleBroken for no line."""
    settlement = session.get(Settlement, settlement_id)
    if settlement is None or settlement.state not in LOCKED:
        raise NotYet(f"settlement {settlement_id} is not approved yet")
    line = session.scalars(
        select(SettlementLine)
        .where(SettlementLine.settlement_id == settlement_id, SettlementLine.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if line is None:
        raise RuleBroken("not_in_payout", f"person {person_id} has no line in this payout", rule="R92")
    return settlement, line
