"""Cash goes from hand to hand until finance has it [R36, R84-R87, D5]."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.finance.actions.daily_check import received_by_finance
from services.finance.actions.ledger import post
from services.finance.actions.people import colleague
from services.finance.models import HandOver, HandOverReceipt, Receipt
from services.finance.rules.custody import (
    FINANCE,
    HAND_OVER,
    HandOverState,
    HandOverStep,
    check_counted,
    check_receiver,
)
from services.finance.rules.ledger import JournalKind, cash_counted
from shared.errors import NotFound, NotYourRole, RuleBroken
from shared.ids import new_id
from shared.people import Actor, site_for


def offer(
    session: Session,
    *,
    site_id: UUID,
    to_person_id: UUID,
    receipt_ids: Sequence[UUID] | None,
    actor: Actor,
    now: datetime,
) -> HandOver:
    """Offer the cash of these receipts, or all he holds at the site, to the next in the chain [R36]."""
    site = site_for(session, actor, site_id)
    receiver = colleague(session, to_person_id, site_id=site.id)
    check_receiver(actor.role, receiver.role)
    in_open_hand_over = select(HandOverReceipt.receipt_id).where(HandOverReceipt.open)
    in_hand = (
        select(Receipt)
        .where(Receipt.site_id == site.id, Receipt.holder_id == actor.person_id, Receipt.id.not_in(in_open_hand_over))
        .order_by(Receipt.id)
        .with_for_update()
    )
    if receipt_ids is not None:
        in_hand = in_hand.where(Receipt.id.in_(receipt_ids))
    receipts = session.scalars(in_hand).all()
    if receipt_ids is not None and {receipt.id for receipt in receipts} != set(receipt_ids):
        raise RuleBroken("not_in_hand", "not all of this cash is in your hands and free to be offered", rule="R84")
    if not receipts:
        raise RuleBroken(
            "nothing_to_hand_over", "you hold no cash of this site that is not offered already", rule="R36"
        )
    hand_over = HandOver(
        id=new_id(),
        site_id=site.id,
        from_id=actor.person_id,
        to_id=receiver.id,
        state=HandOverState.OFFERED,
        amount_fen=sum(receipt.amount_fen for receipt in receipts),
        offered_at=now,
        receipts=[HandOverReceipt(receipt_id=receipt.id, open=True) for receipt in receipts],
    )
    session.add(hand_over)
    return hand_over


def _hand_over_for(session: Session, actor: Actor, hand_over_id: UUID) -> HandOver:
    hand_over = session.get(HandOver, hand_over_id, with_for_update=True)
    if hand_over is None or not actor.sees(hand_over.site_id):
        raise NotFound("hand-over", hand_over_id)
    return hand_over


def _close(session: Session, hand_over: HandOver) -> list[UUID]:
    """The hand-over is open no longer; its receipts."""
    closed = session.scalars(
        update(HandOverReceipt)
        .where(HandOverReceipt.hand_over_id == hand_over.id)
        .values(open=False)
        .returning(HandOverReceipt.receipt_id)
    )
    return list(closed)


def count(session: Session, *, hand_over_id: UUID, counted_fen: int, actor: Actor, now: datetime) -> HandOver:
    """The receiver counted the cash and it was all there: from now on he answers for it, or finance has it [R85]."""
    hand_over = _hand_over_for(session, actor, hand_over_id)
    if hand_over.to_id != actor.person_id:
        raise NotYourRole("not_the_receiver", "only the one it is offered to counts it", rule="R84")
    hand_over.state = HAND_OVER.move(hand_over.state, HandOverStep.COUNT)
    check_counted(amount_fen=hand_over.amount_fen, counted_fen=counted_fen)
    hand_over.counted_at = now
    receipt_ids = _close(session, hand_over)
    at_finance = actor.role in FINANCE
    holder_id = None if at_finance else actor.person_id
    in_order = select(Receipt.id).where(Receipt.id.in_(receipt_ids)).order_by(Receipt.id).with_for_update()
    session.execute(in_order)
    session.execute(
        update(Receipt)
        .where(Receipt.id.in_(receipt_ids))
        .values(holder_id=holder_id, received_at=now if at_finance else None)
    )
    post(
        session,
        site_id=hand_over.site_id,
        kind=JournalKind.HAND_OVER,
        reference=str(hand_over.id),
        lines=cash_counted(hand_over.amount_fen, from_id=hand_over.from_id, holder_id=holder_id),
        now=now,
    )
    if at_finance:
        received_by_finance(session, receipt_ids, now=now)
    return hand_over


def withdraw(session: Session, *, hand_over_id: UUID, actor: Actor, now: datetime) -> HandOver:
    """The giver takes his offer back; the cash never left his hands."""
    hand_over = _hand_over_for(session, actor, hand_over_id)
    if hand_over.from_id != actor.person_id:
        raise NotYourRole("not_the_giver", "only the one who offered it takes it back", rule="R84")
    hand_over.state = HAND_OVER.move(hand_over.state, HandOverStep.WITHDRAW)
    hand_over.withdrawn_at = now
    _close(session, hand_over)
    return hand_over
