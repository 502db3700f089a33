"""Cash goes from hand to hand until finance has it [R36, R84-R87, D5]."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.actions.missing_cash import received_by_finance
from services.finance.actions.people import colleague
from services.finance.models import HandOver, HandOverReceipt, Person, Receipt
from services.finance.rules.access import MAY
from services.finance.rules.hand_over import (
    FINANCE,
    HAND_OVER,
    OPEN,
    HandOverState,
    HandOverStep,
    check_cannot_offer,
    check_receiver,
    count_step,
    counted,
)
from services.finance.rules.ledger import JournalKind, cash_counted
from shared.access import check_four_eyes, check_own
from shared.audit import on_behalf_of
from shared.errors import NotFound, RuleBroken
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
    return _offer(session, site.id, actor.person_id, receiver.id, receipt_ids=receipt_ids, now=now)


def _offer(
    session: Session,
    site_id: UUID,
    from_id: UUID,
    to_id: UUID,
    *,
    receipt_ids: Sequence[UUID] | None,
    now: datetime,
) -> HandOver:
    in_open_hand_over = select(HandOverReceipt.receipt_id).where(HandOverReceipt.open)
    in_hand = (
        select(Receipt)
        .where(Receipt.site_id == site_id, Receipt.holder_id == from_id, Receipt.id.not_in(in_open_hand_over))
        .order_by(Receipt.id)
        .with_for_update()
    )
    if receipt_ids is not None:
        in_hand = in_hand.where(Receipt.id.in_(receipt_ids))
    receipts = session.scalars(in_hand).all()
    if receipt_ids is not None and {receipt.id for receipt in receipts} != set(receipt_ids):
        raise RuleBroken("not_in_hand", "not all of this cash is in your hands and free to be offered", rule="R84")
    amount_fen = sum(in_hand_fen(receipt) for receipt in receipts)
    if amount_fen <= 0:
        raise RuleBroken(
            "nothing_to_hand_over", "there is no cash of this site in hand that is not offered already", rule="R36"
        )
    hand_over = HandOver(
        id=new_id(),
        site_id=site_id,
        from_id=from_id,
        to_id=to_id,
        state=HandOverState.OFFERED,
        amount_fen=amount_fen,
        offered_at=now,
        receipts=[HandOverReceipt(receipt_id=receipt.id, open=True) for receipt in receipts],
    )
    session.add(hand_over)
    return hand_over


def hand_over_for(session: Session, actor: Actor, hand_over_id: UUID) -> HandOver:
    """A hand-over at a site of the person asking, locked until the transaction ends. Raises NotFound."""
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


def count(
    session: Session,
    *,
    hand_over_id: UUID,
    counted_fen: int | None,
    notes: Mapping[int, int] | None = None,
    actor: Actor,
    now: datetime,
) -> HandOver:
    """The receiver counted the cash, before he was told what to expect [R85].

    It was all there: from now on he answers for it, or finance has it. It was not: nothing moves, and both are told.
    """
    hand_over = hand_over_for(session, actor, hand_over_id)
    check_own(MAY["count_hand_over"], actor, hand_over.to_id)
    check_four_eyes(MAY["count_hand_over"], actor, giver=hand_over.from_id)
    _count(
        session,
        hand_over,
        counted(counted_fen=counted_fen, notes=notes),
        notes,
        at_finance=actor.role in FINANCE,
        now=now,
    )
    return hand_over


def _count(
    session: Session,
    hand_over: HandOver,
    counted_fen: int,
    notes: Mapping[int, int] | None,
    *,
    at_finance: bool,
    now: datetime,
) -> None:
    hand_over.state = HAND_OVER.move(
        hand_over.state, count_step(amount_fen=hand_over.amount_fen, counted_fen=counted_fen)
    )
    hand_over.counted_fen, hand_over.counted_at = counted_fen, now
    hand_over.counted_notes = None if notes is None else {str(fen): pieces for fen, pieces in notes.items()}
    if hand_over.state is HandOverState.COUNTED:
        move_cash(session, hand_over, at_finance=at_finance, now=now)


def move_cash(session: Session, hand_over: HandOver, *, at_finance: bool, now: datetime) -> None:
    """The cash counted is the receiver's to answer for, or finance's; the receipts go with it."""
    receipt_ids = _close(session, hand_over)
    holder_id = None if at_finance else hand_over.to_id
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
        lines=cash_counted(
            hand_over.amount_fen, hand_over.counted_fen or 0, from_id=hand_over.from_id, holder_id=holder_id
        ),
        now=now,
    )
    if at_finance:
        received_by_finance(session, receipt_ids, now=now)


def in_hand_fen(receipt: Receipt) -> int:
    """Cash of a receipt in its holder's hands: less what an earlier holder owes of it."""
    return (receipt.amount_fen or 0) - receipt.short_fen


def receive_on_behalf(
    session: Session,
    *,
    site_id: UUID,
    from_person_id: UUID,
    reason: str,
    counted_fen: int | None,
    notes: Mapping[int, int] | None,
    actor: Actor,
    now: datetime,
) -> HandOver:
    """Finance takes all the cash of somebody who left or works elsewhere now, and counts it [R84, R86].

    What he had offered before is taken back for him.
    """
    site = site_for(session, actor, site_id)
    giver = session.get(Person, from_person_id)
    if giver is None:
        raise NotFound("person", from_person_id)
    at_site = giver.all_sites or site.id in giver.site_ids
    check_four_eyes(MAY["receive_on_behalf"], actor, giver=giver.id)
    check_cannot_offer(active=giver.active, at_site=at_site, role=giver.role)
    counted_fen = counted(counted_fen=counted_fen, notes=notes)
    on_behalf_of(session, giver.id)
    offered = session.scalars(
        select(HandOver)
        .where(HandOver.site_id == site.id, HandOver.from_id == giver.id, HandOver.state.in_(OPEN))
        .order_by(HandOver.id)
        .with_for_update()
    )
    for hand_over in offered:
        _take_back(session, hand_over, now=now)
    hand_over = _offer(session, site.id, giver.id, actor.person_id, receipt_ids=None, now=now)
    hand_over.on_behalf_reason = reason
    session.flush()
    _count(session, hand_over, counted_fen, notes, at_finance=actor.role in FINANCE, now=now)
    return hand_over


def withdraw(session: Session, *, hand_over_id: UUID, actor: Actor, now: datetime) -> HandOver:
    """The giver takes his offer back, to count it anew; the cash never left his hands [R86].

    For a giver who is gone the receiver does.
    """
    hand_over = hand_over_for(session, actor, hand_over_id)
    for_him = hand_over.on_behalf_reason is not None and hand_over.to_id == actor.person_id
    check_own(MAY["withdraw_hand_over"], actor, actor.person_id if for_him else hand_over.from_id)
    if for_him:
        on_behalf_of(session, hand_over.from_id)
    _take_back(session, hand_over, now=now)
    return hand_over


def _take_back(session: Session, hand_over: HandOver, *, now: datetime) -> None:
    hand_over.state = HAND_OVER.move(hand_over.state, HandOverStep.WITHDRAW)
    hand_over.withdrawn_at = now
    _close(session, hand_over)
