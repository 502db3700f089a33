"""Finance's copy of the notice, and what the departments report on it [R26, R31-R33]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from services.finance.models import Charge, ChargeWorker
from services.finance.rules.charge import CHARGE, NEVER_BILLED, SIGNED, ChargeState, ChargeStep, check_weights
from shared.bus.outbox import publish
from shared.db import held_by
from shared.errors import NotFound, NotYet, RuleBroken
from shared.messages import NoticeCancelled, NoticeIssued, NoticeRevised, NoticesReceived, WorkAccepted, WorkTerminated
from shared.people import Actor, known_site, site_for


def noticed(session: Session, message: NoticeIssued) -> None:
    """Our copy of the notice [R26]: the fee agreed is what will be charged."""
    site = known_site(session, message.site_id)
    session.execute(
        insert(Charge)
        .values(
            request_id=message.request_id,
            notice_number=message.notice_number,
            site_id=site.id,
            department=message.department,
            state=ChargeState.NOTICED,
            fee_fen=message.fee_fen,
            items=[item.model_dump() for item in message.items],
            price_version=message.price_version,
            issued_at=message.issued_at,
        )
        .on_conflict_do_nothing(index_elements=[Charge.request_id])
    )


def _locked(session: Session, request_id: UUID) -> Charge | None:
    return session.scalars(
        select(Charge).where(Charge.request_id == request_id).options(selectinload(Charge.workers)).with_for_update()
    ).one_or_none()


def charge_alone_for(session: Session, actor: Actor, request_id: UUID) -> Charge:
    """The same for whoever asks for its workers otherwise: they are not loaded. Raises NotFound."""
    charge = session.get(Charge, request_id, with_for_update=True)
    if charge is None or not actor.sees(charge.site_id):
        raise NotFound("charge", request_id)
    return charge


def charge_for(session: Session, actor: Actor, request_id: UUID) -> Charge:
    """A charge at a site of the person asking, locked until the transaction ends. Raises NotFound."""
    charge = _locked(session, request_id)
    if charge is None or not actor.sees(charge.site_id):
        raise NotFound("charge", request_id)
    return charge


def charge_of_message(session: Session, request_id: UUID) -> Charge:
    """A charge named by a message, locked. Raises NotYet when its notice has not come."""
    charge = _locked(session, request_id)
    if charge is None:
        raise NotYet(f"the notice of request {request_id} is not known yet")
    return charge


def revised(session: Session, message: NoticeRevised) -> None:
    """What was agreed changed [R26]: the newest revision is charged, until one of them was signed [D23]."""
    charge = charge_of_message(session, message.request_id)
    signed = charge.state in SIGNED
    if message.revision != charge.revision if signed else message.revision <= charge.revision:
        return
    charge.items, charge.price_version = [item.model_dump() for item in message.items], message.price_version
    if not signed:
        charge.revision, charge.fee_fen = message.revision, message.fee_fen


def receive(session: Session, *, site_id: UUID, actor: Actor, now: datetime) -> list[UUID]:
    """Finance takes in all copies 第一联 of the site's notices that lie there, by name [R26]; their requests."""
    site = site_for(session, actor, site_id)
    received = session.scalars(
        update(Charge)
        .where(Charge.site_id == site.id, Charge.received_at.is_(None))
        .values(received_by=actor.person_id, received_at=now)
        .returning(Charge.request_id)
    )
    request_ids = sorted(received)
    if not request_ids:
        raise RuleBroken("nothing_to_receive", "every notice of this site has been taken in", rule="R26")
    publish(
        session,
        NoticesReceived(site_id=site.id, request_ids=request_ids, received_by=actor.person_id, received_at=now),
    )
    return request_ids


def cancelled(session: Session, message: NoticeCancelled) -> None:
    """The notice was withdrawn: nothing is charged, unless the owner signed for work done or the job had ended."""
    charge = charge_of_message(session, message.request_id)
    if CHARGE.allows(charge.state, ChargeStep.CANCEL):
        charge.state = CHARGE.move(charge.state, ChargeStep.CANCEL)


def accepted(session: Session, message: WorkAccepted) -> None:
    """The owner signed [R32]: the fee he signed is due, and these workers will share in it [D15]."""
    if message.round > 0:
        return  # rework is free: nothing to charge, nothing to share [R39, D13]
    charge = charge_of_message(session, message.request_id)
    if charge.state in SIGNED:
        return
    charge.state = CHARGE.move(charge.state, ChargeStep.ACCEPT)
    check_weights([worker.weight for worker in message.workers])
    charge.fee_fen, charge.accepted_at = message.fee_fen, message.accepted_at
    if message.revision != charge.revision:
        charge.revision, charge.items = message.revision, []  # of another revision; its own may still come
    charge.workers = [ChargeWorker(**held_by(ChargeWorker, worker)) for worker in message.workers]


def terminated(session: Session, message: WorkTerminated) -> None:
    """The job ended undone: nothing is charged [R62, D24]."""
    if message.round > 0:
        return  # a rework that could not be done changes nothing about the fee of the first visit
    charge = charge_of_message(session, message.request_id)
    if charge.state not in NEVER_BILLED:
        charge.state = CHARGE.move(charge.state, ChargeStep.TERMINATE)
