"""Refunds: proposed by finance, decided by the leader, paid out of finance's money [D13, D16, D24]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.models import Charge, Receipt, ReceiptShare, Refund, RefundShare, Site
from services.finance.queries.cash import till_fen
from services.finance.queries.daily_checks import business_month_at
from services.finance.queries.reserves import reserve_fen
from services.finance.rules.access import MAY
from services.finance.rules.ledger import JournalKind, fee_refunded
from services.finance.rules.receipt import ReceiptState
from services.finance.rules.refund import (
    REFUND,
    RefundMethod,
    RefundState,
    RefundStep,
    check_refundable,
    check_till,
    check_with_finance,
    parts_of,
    shares_of,
)
from services.finance.rules.reserve import check_balance
from services.finance.rules.split import Split
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.errors import NotFound, RuleBroken
from shared.ids import new_id
from shared.messages import FeeRefunded
from shared.people import Actor


def propose(
    session: Session,
    *,
    receipt_id: UUID,
    amount_fen: int,
    reason: str,
    method: RefundMethod,
    actor: Actor,
    now: datetime,
) -> Refund:
    """Finance proposes to give back all or part of a fee it has got [D13]."""
    receipt = session.get(Receipt, receipt_id, with_for_update=True)
    if receipt is None or not actor.sees(receipt.site_id):
        raise NotFound("receipt", receipt_id)
    charge = session.get(Charge, receipt.request_id) if receipt.state is ReceiptState.USED else None
    if charge is None:
        raise RuleBroken("nothing_paid", f"receipt is {receipt.state}: nothing was paid", rule="D16")
    check_with_finance(received=receipt.received_at is not None)
    asked = session.scalars(
        select(func.coalesce(func.sum(Refund.amount_fen), 0)).where(
            Refund.receipt_id == receipt.id, Refund.state != RefundState.REJECTED
        )
    ).one()
    check_refundable(fee_fen=receipt.amount_fen or 0, refunded_fen=int(asked or 0), amount_fen=amount_fen)
    refund = Refund(
        id=new_id(),
        receipt_id=receipt.id,
        request_id=charge.request_id,
        site_id=receipt.site_id,
        department=charge.department,
        amount_fen=amount_fen,
        reason=reason,
        method=method,
        state=RefundState.PROPOSED,
        proposed_by=actor.person_id,
        proposed_at=now,
    )
    session.add(refund)
    return refund


def decide(session: Session, *, refund_id: UUID, approve: bool, reason: str, actor: Actor, now: datetime) -> Refund:
    """The leader decides; what he approves is paid and taken from the three shares in the open month [D16]."""
    refund = session.get(Refund, refund_id, with_for_update=True)
    if refund is None or not actor.sees(refund.site_id):
        raise NotFound("refund", refund_id)
    state = REFUND.move(refund.state, RefundStep.APPROVE if approve else RefundStep.REJECT)
    collector = session.get_one(Receipt, refund.receipt_id).collected_by
    check_four_eyes(MAY["decide_refund"], actor, proposer=refund.proposed_by, collector=collector)
    if approve:
        _pay(session, refund, now=now)
    refund.state = state
    refund.decided_by, refund.decided_at, refund.decision = actor.person_id, now, reason
    return refund


def _pay(session: Session, refund: Refund, *, now: datetime) -> None:
    # one payment out of a site's till and fund at a time; money may come in meanwhile
    site = session.scalars(select(Site).where(Site.id == refund.site_id).with_for_update(key_share=True)).one()
    receipt = session.get_one(Receipt, refund.receipt_id, with_for_update=True, populate_existing=True)
    cash = refund.method is RefundMethod.CASH
    if cash:
        check_till(till_fen=till_fen(session, site.id), amount_fen=refund.amount_fen)
    parts, shares = _taken_back(session, refund, receipt)
    check_balance(balance_fen=reserve_fen(session, site.id), amount_fen=parts.reserve_fen)
    refund.state = RefundState.APPROVED
    refund.month = business_month_at(session, site.id, now=now)
    refund.company_fen, refund.workers_fen, refund.reserve_fen = parts.company_fen, parts.workers_fen, parts.reserve_fen
    refund.before_fen, refund.split_weights = (
        receipt.refunded_fen,
        [
            receipt.workers_fen or 0,
            receipt.reserve_fen or 0,
            receipt.company_fen or 0,
        ],
    )
    receipt.refunded_fen += refund.amount_fen
    session.add_all(RefundShare(refund_id=refund.id, person_id=id_, share_fen=-fen) for id_, fen in shares.items())
    post(
        session,
        site_id=site.id,
        kind=JournalKind.REFUND,
        reference=str(refund.id),
        lines=fee_refunded(refund.amount_fen, parts, shares, cash=cash),
        now=now,
    )
    publish(
        session,
        FeeRefunded(
            refund_id=refund.id,
            request_id=refund.request_id,
            site_id=site.id,
            department=refund.department,
            receipt_number=receipt.number,
            amount_fen=refund.amount_fen,
            reason=refund.reason,
            month=refund.month,
            refunded_at=now,
        ),
    )


def _taken_back(session: Session, refund: Refund, receipt: Receipt) -> tuple[Split, dict[UUID, int]]:
    """The part of each of the three shares, and within the workers' of each worker."""
    given = Split(receipt.company_fen or 0, receipt.workers_fen or 0, receipt.reserve_fen or 0)
    parts = parts_of(given, refunded_fen=receipt.refunded_fen, amount_fen=refund.amount_fen)
    before = session.scalars(
        select(func.coalesce(func.sum(Refund.workers_fen), 0)).where(Refund.receipt_id == receipt.id)
    ).one()
    given_to = {
        share.person_id: share.share_fen
        for share in session.scalars(select(ReceiptShare).where(ReceiptShare.receipt_id == receipt.id))
    }
    return parts, shares_of(given_to, before_fen=int(before or 0), amount_fen=parts.workers_fen)
