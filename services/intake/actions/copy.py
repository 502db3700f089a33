"""The three copies 联 of a notice: who has received his, brought it back, or needs it printed once more [R25-R28]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.intake.actions.request import request_for
from services.intake.models import Notice, NoticeCopy, Reprint
from services.intake.rules.notice import Copy
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import NoticeReturned, NoticesReceived, WorkAcknowledged
from shared.people import Actor


def copy_acknowledged(session: Session, message: WorkAcknowledged) -> None:
    """The department has its copy [R27]; the last word stands, for a copy that was declined is sent anew."""
    ours = select(Notice.id).where(Notice.request_id == message.request_id)
    session.execute(
        update(NoticeCopy)
        .where(NoticeCopy.notice_id.in_(ours), NoticeCopy.copy == Copy.DEPARTMENT)
        .values(received_at=message.acknowledged_at, received_by=message.acknowledged_by)
    )


def received_by_finance(session: Session, message: NoticesReceived) -> None:
    """Finance has its copies, by the name of who took them in [R26]; the first to say so is kept.

    Raises NotYet while one of the notices is unknown.
    """
    ours, told = select(Notice.id).where(Notice.request_id.in_(message.request_ids)), set(message.request_ids)
    known = len(session.scalars(ours).all())
    if known < len(told):
        raise NotYet(f"of {len(told)} notices received {known} are known")
    session.execute(
        update(NoticeCopy)
        .where(NoticeCopy.notice_id.in_(ours), NoticeCopy.copy == Copy.FINANCE, NoticeCopy.received_at.is_(None))
        .values(received_at=message.received_at, received_by=message.received_by)
    )


def returned(session: Session, message: NoticeReturned) -> None:
    """The department brought its copy back after the job, or after the last rework of it [D27]."""
    notice_id = session.scalars(select(Notice.id).where(Notice.request_id == message.request_id)).one_or_none()
    if notice_id is None:
        raise NotYet(f"the notice of request {message.request_id} is not known yet")
    copy = session.get_one(NoticeCopy, (notice_id, Copy.DEPARTMENT), with_for_update=True)
    if copy.returned_at is None or copy.returned_at < message.returned_at:
        copy.returned_at, copy.returned_by = message.returned_at, message.returned_by


def reprint(session: Session, *, request_id: UUID, copy: Copy, reason: str, actor: Actor, now: datetime) -> Reprint:
    """Print a copy once more: counted, with the reason. A cancelled notice is not printed again."""
    request = request_for(session, actor, request_id)
    notice = session.scalars(select(Notice).where(Notice.request_id == request.id)).one_or_none()
    if notice is None or notice.cancelled_at is not None:
        raise RuleBroken("no_valid_notice", f"request is {request.state}: there is no notice to print", rule="R24")
    printed = Reprint(
        id=new_id(),
        notice_id=notice.id,
        copy=copy,
        revision=notice.revision,
        reason=reason,
        printed_by=actor.person_id,
        printed_at=now,
    )
    session.add(printed)
    return printed
