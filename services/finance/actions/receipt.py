"""Receipts: carried to the owner, voided, or used when the fee is taken [R33-R35, D5]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.actions.charge import charge_for
from services.finance.actions.ledger import post
from services.finance.actions.people import colleague
from services.finance.models import Charge, Receipt, ReceiptShare
from services.finance.rules.charge import CHARGE, PAYABLE, ChargeStep, check_amount
from services.finance.rules.ledger import JournalKind, fee_received
from services.finance.rules.receipt import (
    RECEIPT,
    Method,
    ReceiptState,
    ReceiptStep,
    check_reference,
    check_worker_collects,
    receipt_series,
)
from services.finance.rules.split import SplitPolicy, share_among, split
from shared.bus.outbox import publish
from shared.calendar import business_day, local, month_of
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import FeeCollected
from shared.papers import next_number
from shared.people import Actor, Site, site_for
from shared.policy_rows import in_force


def _issue(
    session: Session, charge: Charge, site: Site, *, carried_by: UUID | None, actor: Actor, now: datetime
) -> Receipt:
    receipt = Receipt(
        id=new_id(),
        number=next_number(session, receipt_series(site_code=site.code, day=local(now, site.zone).date())),
        request_id=charge.request_id,
        site_id=charge.site_id,
        department=charge.department,
        state=ReceiptState.CARRIED,
        amount_fen=charge.fee_fen,
        issued_by=actor.person_id,
        issued_at=now,
        carried_by=carried_by,
    )
    session.add(receipt)
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
    site = site_for(session, actor, charge.site_id)
    return _issue(session, charge, site, carried_by=worker_id, actor=actor, now=now)


def void(session: Session, *, receipt_id: UUID, reason: str, actor: Actor, now: datetime) -> Receipt:
    """A carried receipt came back unused: its number stays, void, with the reason [R35]."""
    receipt = session.get(Receipt, receipt_id, with_for_update=True)
    if receipt is None or not actor.sees(receipt.site_id):
        raise NotFound("receipt", receipt_id)
    receipt.state = RECEIPT.move(receipt.state, ReceiptStep.VOID)
    receipt.voided_by, receipt.voided_at, receipt.void_reason = actor.person_id, now, reason
    return receipt


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
    charge = charge_for(session, actor, request_id)
    receipt = _live_receipt(session, charge)
    charge.state = CHARGE.move(charge.state, ChargeStep.COLLECT)
    if actor.role == "worker":
        check_worker_collects(
            on_the_job=actor.person_id in {worker.person_id for worker in charge.workers},
            carries_receipt=receipt is not None and receipt.id == receipt_id and receipt.carried_by == actor.person_id,
            method=method,
        )
    check_amount(fee_fen=charge.fee_fen, amount_fen=amount_fen)
    check_reference(method, reference)
    site = site_for(session, actor, charge.site_id)
    if receipt_id is not None and (receipt is None or receipt.id != receipt_id):
        raise NotFound("receipt of this charge", receipt_id)
    if receipt is None:
        receipt = _issue(session, charge, site, carried_by=None, actor=actor, now=now)
    elif receipt_id is None:
        raise RuleBroken(
            "receipt_is_out",
            f"receipt {receipt.number} is out for this job: collect with it, or void it first",
            rule="R35",
            allowed=["void"],
        )
    policy = in_force(session, SplitPolicy, site_id=site.id, at=now)
    receipt.state = RECEIPT.move(receipt.state, ReceiptStep.USE)
    # a fee changed by a new signature makes a receipt written before it worthless [D23]
    check_amount(fee_fen=receipt.amount_fen, amount_fen=amount_fen)
    receipt.method, receipt.reference = method, reference
    receipt.collected_by, receipt.collected_at = actor.person_id, now
    receipt.day = business_day(now, zone=site.zone, closing=site.closing)
    receipt.month = month_of(receipt.day)
    receipt.holder_id = actor.person_id if method is Method.CASH else None
    receipt.received_at = None if method is Method.CASH else now
    parts = split(amount_fen, policy)
    receipt.company_fen, receipt.workers_fen, receipt.reserve_fen = (
        parts.company_fen,
        parts.workers_fen,
        parts.reserve_fen,
    )
    shares = share_among(parts.workers_fen, {worker.person_id: worker.weight for worker in charge.workers})
    session.flush()
    session.add_all(ReceiptShare(receipt_id=receipt.id, person_id=id_, share_fen=fen) for id_, fen in shares.items())
    post(
        session,
        site_id=site.id,
        kind=JournalKind.RECEIPT,
        reference=receipt.number,
        lines=fee_received(amount_fen, parts, shares, holder_id=receipt.holder_id),
        now=now,
    )
    publish(
        session,
        FeeCollected(
            request_id=charge.request_id,
            site_id=site.id,
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
