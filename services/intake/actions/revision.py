"""A notice that changes after it was issued, is declined, and what of it the owner signed [R24-R28, D23, D27]."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic_core import to_jsonable_python
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.intake.actions.request import request_for, request_of_message
from services.intake.models import Decline, Notice, NoticeCopy, NoticeRevision, Request, Visit
from services.intake.queries.homes import phone_hash
from services.intake.queries.prices import prices_of
from services.intake.rules.notice import Copy, changes, check_window
from services.intake.rules.price import Wanted, fee_of, settlement_list
from services.intake.rules.request import REQUEST, RequestState, RequestStep, check_not_paid
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.db import held_by
from shared.errors import NotYet, RuleBroken
from shared.messages import NoticeRevised, WorkAccepted, WorkDeclined
from shared.money import format_fen
from shared.people import Actor
from shared.privacy import mask_phone


def revision_of(
    request: Request, revision: int, *, changed: dict[str, Any], reason: str, made_by: UUID, now: datetime
) -> NoticeRevision:
    """What the notice says now; a phone number is not kept for ever [D26]."""
    return NoticeRevision(
        revision=revision,
        visit_from=request.visit_from,
        visit_to=request.visit_to,
        fee_fen=request.fee_fen,
        items=request.items,
        changed=to_jsonable_python({field: mask_phone(v) if field == "phone" else v for field, v in changed.items()}),
        reason=reason,
        made_by=made_by,
        made_at=now,
    )


@dataclass(frozen=True)
class Revision:
    """What is agreed anew, or was written down wrong; None stays as it is."""

    visit_from: datetime | None = None
    visit_to: datetime | None = None
    items: Sequence[Wanted] | None = None
    owner_name: str | None = None
    address: str | None = None
    phone: str | None = None
    description: str | None = None


def revise(
    session: Session, *, request_id: UUID, revision: Revision, reason: str, actor: Actor, now: datetime
) -> Notice:
    """Change the notice until the owner signed for the work; every holder of a copy gets the revision [R24-R28].

    A new fee is agreed from the version of the price book frozen on the job [D10], and needs a new signature [D23].
    """
    request = request_for(session, actor, request_id)
    after = {field: value for field, value in vars(revision).items() if value is not None}
    if revision.items is not None:
        book = prices_of(session, request.price_version, [one.code for one in revision.items])
        items = settlement_list(book, revision.items, trade=request.trade)
        after |= {"items": [item.model_dump() for item in items], "fee_fen": fee_of(items)}
    return _revise(session, request, after, reason=reason, made_by=actor.person_id, now=now)


OWNER_CHOSE = "owner chose a time he was offered"
"""The reason of a revision that an owner made by his link."""


def move_noticed(session: Session, request: Request, slot: tuple[datetime, datetime], *, now: datetime) -> Notice:
    """The owner took a time that the desk offered: the notice is revised in the name of whoever offered it [R24]."""
    if request.offered_by is None:
        raise RuleBroken("slot_not_offered", "nobody offered another time", rule="R17")
    after = {"visit_from": slot[0], "visit_to": slot[1]}
    return _revise(session, request, after, reason=OWNER_CHOSE, made_by=request.offered_by, now=now)


def _revise(
    session: Session, request: Request, after: dict[str, Any], *, reason: str, made_by: UUID, now: datetime
) -> Notice:
    request.state = REQUEST.move(request.state, RequestStep.REVISE_NOTICE)
    check_not_paid(request.receipt_number)
    notice = session.scalars(select(Notice).where(Notice.request_id == request.id).with_for_update()).one()
    changed = changes({field: getattr(request, field) for field in after}, after)
    for field, value in after.items():
        setattr(request, field, value)
    if "phone" in after:
        request.phone_hash = phone_hash(after["phone"])
    if request.visit_from is None or request.visit_to is None:
        raise RuleBroken("nothing_agreed", "no visit is agreed", rule="R49")
    if {"visit_from", "visit_to"} & set(changed):
        check_window(request.visit_from, request.visit_to, now=now)
        request.offered = []
    declined = notice.revision in {one.revision for one in declines_of(session, request.id)}
    notice.revision += 1
    made = revision_of(request, notice.revision, changed=changed, reason=reason, made_by=made_by, now=now)
    made.notice_id = notice.id
    session.add(made)
    session.execute(
        update(NoticeCopy).where(NoticeCopy.notice_id == notice.id).values(revision=notice.revision, sent_at=now)
    )
    if declined:
        _send_anew(session, request.id, notice.id, declined_at=now)
    publish(
        session,
        NoticeRevised.model_validate(
            {
                "request_id": request.id,
                "notice_number": notice.number,
                "revision": notice.revision,
                "site_id": request.site_id,
                "owner_name": request.owner_name,
                "address": request.address,
                "phone": request.phone,
                "description": request.description,
                "visit_from": request.visit_from,
                "visit_to": request.visit_to,
                "fee_fen": request.fee_fen,
                "items": request.items,
                "price_version": request.price_version,
                "reason": reason,
                "revised_at": now,
            }
        ),
    )
    return notice


def declines_of(session: Session, request_id: UUID) -> Sequence[Decline]:
    """Every time the department declined the request's notice."""
    return session.scalars(select(Decline).where(Decline.request_id == request_id)).all()


def _send_anew(session: Session, request_id: UUID, notice_id: UUID, *, declined_at: datetime) -> None:
    """A department that declined gave the copy back that it had then: it acknowledges the next one anew."""
    session.execute(
        update(NoticeCopy)
        .where(
            NoticeCopy.notice_id == notice_id, NoticeCopy.copy == Copy.DEPARTMENT, NoticeCopy.received_at <= declined_at
        )
        .values(received_at=None, received_by=None)
    )
    session.execute(
        update(Visit)
        .where(Visit.request_id == request_id, Visit.round == 0, Visit.acknowledged_at <= declined_at)
        .values(acknowledged_at=None)
    )


def declined(session: Session, message: WorkDeclined, *, now: datetime) -> None:
    """The department declined the notice [D27]: the desk is told, to agree anew with the owner or to withdraw it.

    What it says of a revision that is no longer the last one is kept and is no news: the copy it had then is back.
    """
    request = request_of_message(session, message.request_id)
    notice = _notice_of(session, message.request_id, message.revision)
    if any(one.revision == message.revision for one in declines_of(session, request.id)):
        return
    session.add(Decline(**held_by(Decline, message)))
    if message.revision < notice.revision:
        _send_anew(session, request.id, notice.id, declined_at=message.declined_at)
    if message.revision == notice.revision and request.state is RequestState.NOTICED:
        facts: dict[str, str | int] = {
            "number": notice.number,
            "request_id": str(request.id),
            "department": message.department,
        }
        subject = uuid5(request.id, f"declined {message.revision}")
        raise_alerts(
            session,
            [
                Alert("notice_declined", request.site_id, subject, role="clerk", facts=facts),
                Alert("notice_declined", request.site_id, subject, role="desk_head", facts=facts),
            ],
            now=now,
        )


def _notice_of(session: Session, request_id: UUID, revision: int) -> Notice:
    """The notice a department speaks of. Raises NotYet before it, RuleBroken for a revision we never made."""
    notice = session.scalars(select(Notice).where(Notice.request_id == request_id)).one_or_none()
    if notice is None:
        raise NotYet(f"the notice of request {request_id} is not known yet")
    if not 0 <= revision <= notice.revision:
        raise RuleBroken("unknown_revision", f"notice {notice.number} has no revision {revision}", rule="D23")
    return notice


def keep_what_was_signed(session: Session, request: Request, message: WorkAccepted) -> None:
    """Time and fee are those of the revision the owner signed, even when the desk has made another since [D23]."""
    notice = _notice_of(session, request.id, message.revision)
    signed = session.get_one(NoticeRevision, (notice.id, message.revision))
    if message.fee_fen != signed.fee_fen:
        raise RuleBroken(
            "fee_not_agreed",
            f"{format_fen(message.fee_fen)} was signed, revision {signed.revision} of notice {notice.number} says "
            f"{format_fen(signed.fee_fen)}",
            rule="D23",
        )
    request.visit_from, request.visit_to = signed.visit_from, signed.visit_to
    request.fee_fen, request.items = signed.fee_fen, signed.items
