"""Receipts: carried to the owner, brought back, voided, or used when the fee is taken [R33-R35, D5]."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from services.finance.actions.charge import charge_alone_for, charge_for
from services.finance.actions.daily_check import close_days
from services.finance.actions.ledger import post
from services.finance.actions.people import colleague
from services.finance.actions.receipt_book import take
from services.finance.models import CarriedFinding, Charge, Invoice, Receipt, ReceiptShare
from services.finance.queries.collecting import collecting
from services.finance.rules.access import MAY
from services.finance.rules.charge import CHARGE, PAYABLE, ChargeStep, check_amount
from services.finance.rules.ledger import JournalKind, fee_received
from services.finance.rules.receipt import (
    RECEIPT,
    CarriedOutcome,
    InvoiceState,
    Method,
    MethodPolicy,
    ReceiptPolicy,
    ReceiptState,
    ReceiptStep,
    check_invoice,
    check_offered,
    check_reference,
    check_worker_collects,
)
from services.finance.rules.split import SplitPolicy, share_among, split, weights_of
from shared.access import Own
from shared.bus.outbox import publish
from shared.calendar import month_of
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import FeeCollected
from shared.people import Actor
from shared.policy_rows import in_force


def _write(session: Session, charge: Charge, *, policy: ReceiptPolicy, actor: Actor, now: datetime) -> Receipt:
    """The next number on hand, made out for this job."""
    receipt = take(session, site_id=charge.site_id, policy=policy, now=now)
    receipt.request_id, receipt.department, receipt.amount_fen = charge.request_id, charge.department, charge.fee_fen
    receipt.issued_by, receipt.issued_at = actor.person_id, now
    return receipt


def _live_receipt(session: Session, charge: Charge) -> Receipt | None:
    """The charge's one receipt that is not void, locked."""
    return session.scalars(
        select(Receipt)
        .where(Receipt.request_id == charge.request_id, Receipt.state != ReceiptState.VOIDED)
        .with_for_update()
    ).one_or_none()


def carry(session: Session, *, request_id: UUID, worker_id: UUID, actor: Actor, now: datetime) -> Receipt:
    """Give a worker a numbered receipt to take to the owner of this one job [R35, D5]."""
    charge = charge_for(session, actor, request_id)
    if charge.state not in PAYABLE:
        raise RuleBroken("nothing_to_pay", f"charge is {charge.state}: there is nothing to collect", rule="R35")
    worker = colleague(session, worker_id, site_id=charge.site_id)
    if worker.role != "worker":
        raise RuleBroken("not_a_worker", f"a {worker.role} does not carry receipts", rule="R35", allowed=["worker"])
    if charge.workers and worker_id not in {w.person_id for w in charge.workers}:
        raise RuleBroken("not_on_the_job", "this worker did not do the job", rule="R35")
    out = _live_receipt(session, charge)
    if out is not None:
        raise RuleBroken("receipt_is_out", f"receipt {out.number} is out for this job", rule="R35", allowed=["void"])
    policy = in_force(session, ReceiptPolicy, site_id=charge.site_id, at=now)
    receipt = _write(session, charge, policy=policy, actor=actor, now=now)
    receipt.state, receipt.carried_by = RECEIPT.move(receipt.state, ReceiptStep.CARRY), worker_id
    return receipt


def _receipt_for(session: Session, actor: Actor, receipt_id: UUID) -> Receipt:
    """A receipt at a site of the person asking, locked. Raises NotFound."""
    receipt = session.get(Receipt, receipt_id, with_for_update=True)
    if receipt is None or not actor.sees(receipt.site_id):
        raise NotFound("receipt", receipt_id)
    return receipt


def bring_back(session: Session, *, receipt_id: UUID, actor: Actor, now: datetime) -> Receipt:
    """The worker brought his receipt back unused: it is blank and on hand again [R35]."""
    receipt = _receipt_for(session, actor, receipt_id)
    receipt.state = RECEIPT.move(receipt.state, ReceiptStep.BRING_BACK)
    receipt.request_id = receipt.department = receipt.amount_fen = None
    receipt.issued_by = receipt.issued_at = receipt.carried_by = None
    _account_for(session, receipt, CarriedOutcome.BROUGHT_BACK, actor=actor, now=now)
    return receipt


def void(session: Session, *, receipt_id: UUID, reason: str, actor: Actor, now: datetime) -> Receipt:
    """A receipt spoilt on hand or on its way is void: its number stays, with the reason [R35]."""
    receipt = _receipt_for(session, actor, receipt_id)
    receipt.state = RECEIPT.move(receipt.state, ReceiptStep.VOID)
    receipt.voided_by, receipt.voided_at, receipt.void_reason = actor.person_id, now, reason
    _account_for(session, receipt, CarriedOutcome.VOIDED, reason=reason, actor=actor, now=now)
    return receipt


def explain(session: Session, *, receipt_id: UUID, reason: str, actor: Actor, now: datetime) -> Receipt:
    """The desk head says why a receipt was still out when the day was checked; the day may close [R35, D6]."""
    receipt = _receipt_for(session, actor, receipt_id)
    if not _account_for(session, receipt, CarriedOutcome.EXPLAINED, reason=reason, actor=actor, now=now):
        raise RuleBroken("nothing_to_explain", "no day's check waits for this receipt", rule="R35")
    return receipt


def _account_for(
    session: Session,
    receipt: Receipt,
    outcome: CarriedOutcome,
    *,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Account for a receipt on every day it was found out, and close those days it was the last of; if there were."""
    days = [
        (row.site_id, row.day)
        for row in session.execute(
            update(CarriedFinding)
            .where(CarriedFinding.receipt_id == receipt.id, CarriedFinding.settled_at.is_(None))
            .values(outcome=outcome, reason=reason, settled_by=actor.person_id, settled_at=now)
            .returning(CarriedFinding.site_id, CarriedFinding.day)
        )
    ]
    if days:
        close_days(session, days, now=now)
    return bool(days)


def record_invoice(
    session: Session, *, receipt_id: UUID, number: str, state: InvoiceState, actor: Actor, now: datetime
) -> Receipt:
    """An invoice was written beside a used receipt, or a red one cancelled it [R34]."""
    receipt = _receipt_for(session, actor, receipt_id)
    if receipt.state is not ReceiptState.USED:
        raise RuleBroken("not_used", f"receipt is {receipt.state}: nothing was paid", rule="R34", allowed=["collect"])
    last = session.scalars(
        select(Invoice.state).where(Invoice.receipt_id == receipt.id).order_by(Invoice.id.desc()).limit(1)
    ).one_or_none()
    check_invoice(last, state)
    session.add(
        Invoice(
            id=new_id(),
            receipt_id=receipt.id,
            number=number,
            state=state,
            recorded_by=actor.person_id,
            recorded_at=now,
        )
    )
    session.expire(receipt, ["invoices"])  # there is one more
    return receipt


_GIVE = text("""
    INSERT INTO receipt_shares (receipt_id, person_id, share_fen)
    SELECT :receipt_id, share.* FROM unnest(CAST(:people AS uuid[]), CAST(:fen AS bigint[])) AS share
""")


def _give(session: Session, receipt: Receipt, shares: Mapping[UUID, int]) -> None:
    """Write down each worker's share of this receipt, which had none."""
    given = sorted(shares.items())
    session.execute(
        _GIVE, {"receipt_id": receipt.id, "people": [id_ for id_, _ in given], "fen": [fen for _, fen in given]}
    )
    set_committed_value(
        receipt, "shares", [ReceiptShare(receipt_id=receipt.id, person_id=id_, share_fen=fen) for id_, fen in given]
    )


def collect(
    session: Session,
    *,
    request_id: UUID,
    method: Method,
    amount_fen: int,
    reference: str | None,
    receipt_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> Receipt:
    """Take exactly the agreed fee against a numbered receipt, and divide it once and for all [R33, R34, R70-R72]."""
    charge = charge_alone_for(session, actor, request_id)
    known = collecting(session, request_id=charge.request_id, site_id=charge.site_id, now=now)
    policies = known.policies
    receipt = _live_receipt(session, charge) if known.written else None
    charge.state = CHARGE.move(charge.state, ChargeStep.COLLECT)
    if MAY["collect_fee"].of(actor) is Own.JOBS:
        check_worker_collects(
            on_the_job=actor.person_id in known.weights,
            carries_receipt=receipt is not None and receipt.id == receipt_id and receipt.carried_by == actor.person_id,
            method=method,
        )
    check_amount(fee_fen=charge.fee_fen, amount_fen=amount_fen)
    check_offered(method, policies[MethodPolicy])
    check_reference(method, reference)
    if receipt_id is not None and (receipt is None or receipt.id != receipt_id):
        raise NotFound("receipt of this charge", receipt_id)
    if receipt is None:
        receipt = _write(session, charge, policy=policies[ReceiptPolicy], actor=actor, now=now)
    elif receipt_id is None:
        raise RuleBroken(
            "receipt_is_out",
            f"receipt {receipt.number} is out for this job: collect with it, or void it first",
            rule="R35",
            allowed=["void"],
        )
    receipt.state = RECEIPT.move(receipt.state, ReceiptStep.USE)
    set_committed_value(receipt, "invoices", [])  # of a receipt that was not used before
    # a fee changed by a new signature makes a receipt written before it worthless [D23]
    check_amount(fee_fen=receipt.amount_fen or 0, amount_fen=amount_fen)
    receipt.method, receipt.reference = method, reference
    receipt.collected_by, receipt.collected_at = actor.person_id, now
    receipt.day = known.day
    receipt.month = month_of(receipt.day)
    receipt.holder_id = actor.person_id if method is Method.CASH else None
    receipt.received_at = None if method is Method.CASH else now
    parts = split(amount_fen, policies[SplitPolicy])
    receipt.company_fen, receipt.workers_fen, receipt.reserve_fen = (
        parts.company_fen,
        parts.workers_fen,
        parts.reserve_fen,
    )
    receipt.split_weights = weights_of(policies[SplitPolicy])
    shares = share_among(parts.workers_fen, known.weights)
    _give(session, receipt, shares)
    if receipt.carried_by is not None:
        _account_for(session, receipt, CarriedOutcome.USED, actor=actor, now=now)
    post(
        session,
        site_id=charge.site_id,
        kind=JournalKind.RECEIPT,
        reference=receipt.number,
        lines=fee_received(amount_fen, parts, shares, holder_id=receipt.holder_id),
        now=now,
        day=receipt.day,
    )
    publish(
        session,
        FeeCollected(
            request_id=charge.request_id,
            site_id=charge.site_id,
            department=charge.department,
            receipt_number=receipt.number,
            amount_fen=amount_fen,
            method=method.value,
            month=receipt.month,
            collected_by=actor.person_id,
            collected_at=now,
        ),
    )
    return receipt
