"""Issuing the service notice and what the departments report on it [R24-R32]."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.intake.actions.copy import copy_acknowledged
from services.intake.actions.link import tell_link
from services.intake.actions.request import end_request, request_for, request_of_message
from services.intake.actions.revision import declines_of, keep_what_was_signed, revision_of
from services.intake.models import Notice, NoticeCopy, Request, Revisit, Visit
from services.intake.rules.notice import Copy, Form, check_window, paper_series
from services.intake.rules.request import REQUEST, RequestState, RequestStep
from services.intake.rules.revisit import RevisitPolicy, revisit_due
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.calendar import business_month, local
from shared.errors import NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import (
    AcknowledgementMissed,
    NoticeIssued,
    SupportRequested,
    WorkAccepted,
    WorkAcknowledged,
    WorkAssigned,
    WorkTerminated,
)
from shared.papers import next_number
from shared.people import Actor, known_site, site_for
from shared.policy_rows import in_force


def issue(session: Session, *, request_id: UUID, actor: Actor, now: datetime) -> Notice:
    """Make the notice from the registration form, number it, and send finance and the department their copies."""
    request = request_for(session, actor, request_id)
    request.state = REQUEST.move(request.state, RequestStep.ISSUE_NOTICE)
    if request.visit_from is None or request.visit_to is None:
        raise RuleBroken("nothing_agreed", "no visit is agreed", rule="R49", allowed=[RequestStep.AGREE])
    check_window(request.visit_from, request.visit_to, now=now)
    site = site_for(session, actor, request.site_id)
    day = local(now, site.zone).date()
    number = next_number(session, paper_series(Form.NOTICE, site_code=site.code, day=day))
    notice = Notice(
        id=new_id(),
        number=number,
        request_id=request.id,
        site_id=site.id,
        revision=0,
        issued_by=actor.person_id,
        issued_at=now,
        revisions=[revision_of(request, 0, changed={}, reason="issued", made_by=actor.person_id, now=now)],
        copies=[
            NoticeCopy(
                copy=copy,
                sent_at=now,
                received_at=now if copy is Copy.ARCHIVE else None,
                received_by=actor.person_id if copy is Copy.ARCHIVE else None,
            )
            for copy in Copy
        ],
    )
    session.add(notice)
    session.add(Visit(request_id=request.id, round=0, site_id=site.id, department=request.department, ordered_at=now))
    publish(
        session,
        NoticeIssued.model_validate(
            {
                "request_id": request.id,
                "notice_number": number,
                "site_id": site.id,
                "department": request.department,
                "trade": request.trade,
                "channel": request.channel,
                "owner_name": request.owner_name,
                "address": request.address,
                "phone": request.phone,
                "description": request.description,
                "visit_from": request.visit_from,
                "visit_to": request.visit_to,
                "fee_fen": request.fee_fen,
                "items": request.items,
                "price_version": request.price_version,
                "owner_waits": request.owner_waits,
                "issued_at": now,
            }
        ),
    )
    tell_link(session, request, now=now)
    return notice


def _visit(session: Session, request_id: UUID, round_: int) -> Visit:
    visit = session.get(Visit, (request_id, round_), with_for_update=True)
    if visit is None:
        raise NotYet(f"visit {round_} of request {request_id} is not known yet")
    return visit


def _is_repeat(visit: Visit, *, same: datetime | None, other: datetime | None) -> bool:
    """Whether this end of the visit was reported before. Raises RuleBroken when it is known to have ended otherwise."""
    if other is not None:
        raise RuleBroken("visit_ended_otherwise", f"visit {visit.round} ended otherwise at {other}", rule="R31")
    return same is not None


def _stand_by_notice(session: Session, request: Request) -> None:
    """The department saw the visit through: if the notice was withdrawn, that came too late."""
    if request.state is RequestState.CANCELLED:
        request.ended_at = request.ending = request.erase_due_at = None
        session.execute(
            update(Notice).where(Notice.request_id == request.id).values(cancelled_at=None, cancel_reason=None)
        )


def acknowledged(session: Session, message: WorkAcknowledged) -> None:
    """The department has its copy [R27, R29]; of a revision it declined, or before a later word, that is no news."""
    request_of_message(session, message.request_id)
    visit = _visit(session, message.request_id, message.round)
    if visit.acknowledged_at is not None and visit.acknowledged_at >= message.acknowledged_at:
        return
    if message.round == 0:
        if any(one.revision >= message.revision for one in declines_of(session, message.request_id)):
            return
        copy_acknowledged(session, message)
    visit.acknowledged_at = message.acknowledged_at


def assigned(session: Session, message: WorkAssigned) -> None:
    """Who goes [R30]: what the desk tells an owner who asks; an older choice that comes late is no news."""
    visit = _visit(session, message.request_id, message.round)
    if visit.assigned_at is not None and visit.assigned_at > message.assigned_at:
        return
    visit.assigned_at = message.assigned_at
    if visit.accepted_at is None:
        visit.workers = [worker.model_dump(mode="json") for worker in message.workers]


def support_requested(session: Session, message: SupportRequested, *, now: datetime) -> None:
    """A worker asked for support or stopped for safety [R67]: the desk is told, and sees it on the request."""
    visit = _visit(session, message.request_id, message.round)
    kind = "stopped_for_safety" if message.for_safety else "support_requested"
    subject = uuid5(message.request_id, f"{kind} {message.round} {message.requested_at.isoformat()}")
    facts: dict[str, str | int] = {"request_id": str(message.request_id), "round": message.round}
    raise_alerts(
        session,
        [
            Alert(kind, visit.site_id, subject, role="clerk", facts=facts),
            Alert(kind, visit.site_id, subject, role="desk_head", facts=facts),
        ],
        now=now,
    )
    if visit.support_requested_at is not None and visit.support_requested_at > message.requested_at:
        return
    visit.support_requested_at, visit.support_reason = message.requested_at, message.reason


def acknowledgement_missed(session: Session, message: AcknowledgementMissed, *, now: datetime) -> None:
    """A department did not take a notice in time [R29, R99, D4]: the desk head is told."""
    visit = _visit(session, message.request_id, message.round)
    raise_alerts(
        session,
        [
            Alert(
                "acknowledgement_missed",
                visit.site_id,
                uuid5(message.request_id, f"unacknowledged {message.round} {message.due_at.isoformat()}"),
                role="desk_head",
                facts={
                    "request_id": str(message.request_id),
                    "round": message.round,
                    "department": message.department,
                    "due_at": message.due_at.isoformat(),
                },
            )
        ],
        now=now,
    )


def accepted(session: Session, message: WorkAccepted) -> None:
    """Owner or occupant signed [R31, R32]: the revisit is promised for later [R37, D4].

    A withdrawal of ours that came when somebody was at the home already comes to nothing: the work is done.
    """
    request = request_of_message(session, message.request_id)
    visit = _visit(session, message.request_id, message.round)
    if _is_repeat(visit, same=visit.accepted_at, other=visit.terminated_at):
        return
    site = known_site(session, message.site_id)
    _stand_by_notice(session, request)
    request.state = REQUEST.move(request.state, RequestStep.ACCEPT)
    if message.round == 0:
        keep_what_was_signed(session, request, message)
    visit.accepted_at = message.accepted_at
    visit.accepted_month = business_month(message.accepted_at, zone=site.zone, closing=site.closing)
    visit.signer_name, visit.arrived_late = message.signer_name, message.arrived_late
    visit.workers = [worker.model_dump(mode="json") for worker in message.workers]
    policy = in_force(session, RevisitPolicy, site_id=site.id, at=message.accepted_at)
    session.add(
        Revisit(
            request_id=request.id,
            round=message.round,
            site_id=request.site_id,
            due_at=revisit_due(message.accepted_at, policy),
            failed_attempts=0,
        )
    )


def terminated(session: Session, message: WorkTerminated) -> None:
    """The job ended undone [R62, D24]: the request with it, unless it was rework, which the desk takes up again."""
    request = request_of_message(session, message.request_id)
    visit = _visit(session, message.request_id, message.round)
    if _is_repeat(visit, same=visit.terminated_at, other=visit.accepted_at):
        return
    site = known_site(session, message.site_id)
    _stand_by_notice(session, request)
    request.state = REQUEST.move(request.state, RequestStep.TERMINATE)
    visit.terminated_at, visit.cause, visit.reason = message.terminated_at, message.cause, message.reason
    visit.terminated_month = business_month(message.terminated_at, zone=site.zone, closing=site.closing)
    if request.state is RequestState.TERMINATED:
        end_request(session, request, ending=message.reason, now=message.terminated_at)
    else:
        session.add(
            Revisit(
                request_id=request.id,
                round=message.round,
                site_id=request.site_id,
                due_at=message.terminated_at,
                failed_attempts=0,
            )
        )
