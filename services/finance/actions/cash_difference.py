"""What was missing when cash was counted: stated, confirmed, made good [R86, R88, D7]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.finance.actions.hand_over import hand_over_for, in_hand_fen, move_cash
from services.finance.actions.ledger import post
from services.finance.actions.missing_cash import received_by_finance
from services.finance.models import CashDifference, HandOver, HandOverReceipt, Person, Receipt
from services.finance.queries.daily_checks import business_day_at
from services.finance.rules.access import MAY
from services.finance.rules.cash_difference import check_shortage
from services.finance.rules.hand_over import FINANCE, HAND_OVER, HandOverStep
from services.finance.rules.ledger import JournalKind, shortage_made_good
from shared.access import check_four_eyes, check_own
from shared.alerts import Alert, raise_alerts
from shared.audit import on_behalf_of
from shared.errors import NotFound
from shared.ids import new_id
from shared.money import largest_remainder
from shared.people import Actor


def settle_difference(session: Session, *, hand_over_id: UUID, reason: str, actor: Actor, now: datetime) -> HandOver:
    """The receiver puts his name to what is missing, with what he was told of it; the giver is asked for his [R86]."""
    hand_over = hand_over_for(session, actor, hand_over_id)
    check_own(MAY["settle_difference"], actor, hand_over.to_id)
    hand_over.state = HAND_OVER.move(hand_over.state, HandOverStep.SETTLE_DIFFERENCE)
    hand_over.difference_reason = reason
    raise_alerts(
        session,
        [Alert("difference_stated", hand_over.site_id, hand_over.id, person_id=hand_over.from_id)],
        now=now,
    )
    return hand_over


def confirm_difference(session: Session, *, hand_over_id: UUID, actor: Actor, now: datetime) -> HandOver:
    """The giver puts his name to it too: what was counted moves, what is missing he owes until he makes it good [R86].

    For a giver who is gone the desk head does.
    """
    hand_over = hand_over_for(session, actor, hand_over_id)
    for_him = hand_over.on_behalf_reason is not None and actor.role == "desk_head"
    check_own(MAY["confirm_difference"], actor, actor.person_id if for_him else hand_over.from_id)
    check_four_eyes(MAY["confirm_difference"], actor, receiver=hand_over.to_id)
    if for_him:
        on_behalf_of(session, hand_over.from_id)
    hand_over.state = HAND_OVER.move(hand_over.state, HandOverStep.CONFIRM_DIFFERENCE)
    difference_fen = hand_over.amount_fen - (hand_over.counted_fen or 0)
    session.add(
        CashDifference(
            id=new_id(),
            hand_over_id=hand_over.id,
            site_id=hand_over.site_id,
            giver_id=hand_over.from_id,
            receiver_id=hand_over.to_id,
            amount_fen=difference_fen,
            reason=hand_over.difference_reason or "",
            day=business_day_at(session, hand_over.site_id, now=now),
            recorded_at=now,
        )
    )
    _spread(session, hand_over, difference_fen)
    receiver = session.get_one(Person, hand_over.to_id)
    move_cash(session, hand_over, at_finance=receiver.role in FINANCE, now=now)
    return hand_over


def _spread(session: Session, hand_over: HandOver, difference_fen: int) -> None:
    """Of each receipt's cash a part is missing, so that who hands it on answers for no more than he was given."""
    receipts = session.scalars(
        select(Receipt)
        .join(HandOverReceipt, HandOverReceipt.receipt_id == Receipt.id)
        .where(HandOverReceipt.hand_over_id == hand_over.id)
        .order_by(Receipt.id)
        .with_for_update(of=Receipt)
    ).all()
    for receipt, part in zip(
        receipts, largest_remainder(difference_fen, [in_hand_fen(receipt) for receipt in receipts]), strict=True
    ):
        receipt.short_fen += part


def make_good(
    session: Session, *, difference_id: UUID, counted_fen: int, actor: Actor, now: datetime
) -> CashDifference:
    """Who was short brought what is missing; the cashier counted it: he owes nothing any more [R86, D7]."""
    difference = session.get(CashDifference, difference_id, with_for_update=True)
    if difference is None or not actor.sees(difference.site_id):
        raise NotFound("cash difference", difference_id)
    check_four_eyes(MAY["make_good"], actor, giver=difference.giver_id)
    check_shortage(
        amount_fen=difference.amount_fen, counted_fen=counted_fen, made_good=difference.made_good_at is not None
    )
    difference.made_good_by, difference.made_good_at = actor.person_id, now
    post(
        session,
        site_id=difference.site_id,
        kind=JournalKind.MADE_GOOD,
        reference=str(difference.id),
        lines=shortage_made_good(difference.amount_fen, giver_id=difference.giver_id),
        now=now,
    )
    of_hand_over = select(HandOverReceipt.receipt_id).where(HandOverReceipt.hand_over_id == difference.hand_over_id)
    received_by_finance(session, session.scalars(of_hand_over).all(), difference_id=difference.id, now=now)
    return difference
