"""An approved payout reaches hr, which pays it to the individual [R92-R94]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.hr.actions import delivery
from services.hr.models import Payment, PaymentFailure, Payout, PayoutLine, Person
from services.hr.rules.access import MAY
from services.hr.rules.payout import PAYMENT, PaymentState, PaymentStep, begins_as, check_payout, check_result
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.db import held_by
from shared.errors import NotFound, Problem, RuleBroken
from shared.messages import FailureCause, PayoutApproved, PayoutFailed, PayoutPaid, PayoutReceived
from shared.people import Actor, known_site

_PUT = text("""
    INSERT INTO payouts (settlement_id, site_id, month, net_fen, from_wage_fen, approved_by, approved_at, received_at)
    VALUES (:settlement_id, :site_id, :month, :net_fen, :from_wage_fen, :approved_by, :approved_at, :received_at)
    ON CONFLICT DO NOTHING RETURNING 1
""")


def approved(session: Session, message: PayoutApproved, *, now: datetime) -> None:
    """Store every line once and tell finance that we hold them; what does not add up is not paid.

    Money for somebody who never worked here cannot be paid: finance is told, and the others are paid all the same.
    """
    known_site(session, message.site_id)
    check_payout(message.lines, net_fen=message.net_fen, from_wage_fen=message.from_wage_fen)
    stored = session.execute(_PUT, message.model_dump(exclude={"lines"}) | {"received_at": now}).one_or_none()
    if stored is None:
        if session.get(Payout, message.settlement_id) is None:
            raise RuleBroken("paid_already", f"another settlement pays {message.month} at this site", rule="R92")
        return
    known = set(session.scalars(select(Person.id).where(Person.id.in_([line.person_id for line in message.lines]))))
    session.add_all(
        PayoutLine(settlement_id=message.settlement_id, **held_by(PayoutLine, line)) for line in message.lines
    )
    session.flush()
    payments = [
        Payment(
            settlement_id=message.settlement_id, person_id=line.person_id, state=begins_as(line.net_fen), attempts=0
        )
        for line in message.lines
    ]
    session.add_all(payments)
    session.flush()
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
    for payment in payments:
        if payment.state is PaymentState.DUE and payment.person_id not in known:
            reason = "nobody of this name ever worked here"
            _fail(session, payment, message.site_id, "unknown_payee", reason, told_by=None, now=now)


def paid(
    session: Session, *, settlement_id: UUID, person_id: UUID, reference: str, actor: Actor, now: datetime
) -> Payment:
    """HR paid the person his line, under the bank's or the pay slip's reference [R92]."""
    payment, payout = _payment_for(session, actor, settlement_id, person_id)
    payment.state = PAYMENT.move(payment.state, PaymentStep.PAY)
    payment.reference, payment.paid_by, payment.paid_at = reference, actor.person_id, now
    line = session.get_one(PayoutLine, (settlement_id, person_id))
    publish(
        session,
        PayoutPaid(
            settlement_id=settlement_id,
            site_id=payout.site_id,
            person_id=person_id,
            net_fen=line.net_fen,
            reference=reference,
            paid_at=now,
        ),
    )
    return payment


def failed(
    session: Session,
    *,
    settlement_id: UUID,
    person_id: UUID,
    cause: FailureCause,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Payment:
    """The person could not be paid; it may be tried again, and each attempt is kept [R92]."""
    payment, payout = _payment_for(session, actor, settlement_id, person_id)
    _fail(session, payment, payout.site_id, cause, reason, told_by=actor.person_id, now=now)
    return payment


@dataclass(frozen=True)
class Result:
    """What became of one person's payment, and the row of the file that says so."""

    row: int
    person_id: UUID
    reference: str | None
    cause: FailureCause | None
    reason: str | None


class BadRows(RuleBroken):
    """Rows of a file of results that cannot be; nothing of the file took effect. `rows`: number -> the refusal."""

    def __init__(self, rows: Mapping[int, Problem]) -> None:
        said = "; ".join(f"row {number}: {problem.detail}" for number, problem in rows.items())
        super().__init__("bad_rows", said, rule="R92")
        self.rows = dict(rows)


def results(session: Session, *, settlement_id: UUID, told: Sequence[Result], actor: Actor, now: datetime) -> None:
    """What became of many lines of a payout: all of it takes effect, or, with a row that cannot be, nothing [R92].

    Raises NotFound, and BadRows, which names every such row.
    """
    payout = session.get(Payout, settlement_id)
    if payout is None or not actor.sees(payout.site_id):
        raise NotFound("payout", settlement_id)
    bad: dict[int, Problem] = {}
    for one in sorted(told, key=lambda one: one.person_id):  # locked in one order
        try:
            check_result(paid=one.reference is not None, failed=one.cause is not None and one.reason is not None)
            whose = {"settlement_id": settlement_id, "person_id": one.person_id}
            if one.reference is not None:
                paid(session, **whose, reference=one.reference, actor=actor, now=now)
            else:
                cause = cast("FailureCause", one.cause)
                failed(session, **whose, cause=cause, reason=one.reason or "", actor=actor, now=now)
        except Problem as problem:
            bad[one.row] = problem
    if bad:
        raise BadRows(dict(sorted(bad.items())))


def _payment_for(session: Session, actor: Actor, settlement_id: UUID, person_id: UUID) -> tuple[Payment, Payout]:
    """Somebody else's payment at a site of the actor, locked. Raises NotFound, or RuleBroken for one's own."""
    payment = session.get(Payment, (settlement_id, person_id), with_for_update=True, populate_existing=True)
    payout = session.get(Payout, settlement_id)
    if payment is None or payout is None or not actor.sees(payout.site_id):
        raise NotFound("payment", f"{settlement_id} of {person_id}")
    check_four_eyes(MAY["confirm_payment"], actor, beneficiary=person_id)
    return payment, payout


def _fail(
    session: Session,
    payment: Payment,
    site_id: UUID,
    cause: FailureCause,
    reason: str,
    *,
    told_by: UUID | None,
    now: datetime,
) -> None:
    payment.state = PAYMENT.move(payment.state, PaymentStep.FAIL)
    payment.attempts += 1
    facts = {
        "settlement_id": payment.settlement_id,
        "person_id": payment.person_id,
        "attempt": payment.attempts,
        "cause": cause,
        "reason": reason,
        "failed_at": now,
    }
    session.add(PaymentFailure(**facts, told_by=told_by))
    publish(session, PayoutFailed.model_validate({**facts, "site_id": site_id}))
