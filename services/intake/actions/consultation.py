"""Asking a department before agreeing with the owner [R19, R23]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.intake.actions.request import owner_reached, request_for
from services.intake.models import REPLY, Consultation
from services.intake.rules.callback import kept
from services.intake.rules.request import RequestState
from shared.alerts import Alert, raise_alerts
from shared.bus.outbox import publish
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import ConsultationAnswered, ConsultationAsked
from shared.people import Actor


def ask(
    session: Session,
    *,
    request_id: UUID,
    question: str,
    reply_due_at: datetime,
    owner_was_told: bool,
    actor: Actor,
    now: datetime,
) -> Consultation:
    """Put the question to the request's department; an owner told when he gets his reply has been reached [D3]."""
    request = request_for(session, actor, request_id)
    if request.state is not RequestState.RECORDED or request.department is None:
        raise RuleBroken("nothing_to_consult", f"request is {request.state}: nothing is left to be agreed", rule="R19")
    if reply_due_at <= now:
        raise RuleBroken("promise_is_past", "the promised reply time is over already", rule="R23")
    consultation = Consultation(
        id=new_id(),
        request_id=request.id,
        site_id=request.site_id,
        department=request.department,
        question=question,
        asked_by=actor.person_id,
        asked_at=now,
        reply_due_at=reply_due_at,
        reply_missed=False,
    )
    session.add(consultation)
    if owner_was_told:
        owner_reached(session, request, note="reply promised", actor=actor, now=now)
    publish(
        session,
        ConsultationAsked(
            consultation_id=consultation.id,
            request_id=request.id,
            site_id=request.site_id,
            department=request.department,
            question=question,
            reply_due_at=reply_due_at,
        ),
    )
    return consultation


def answered(session: Session, message: ConsultationAnswered) -> None:
    """The department's answer, the last one given; raises NotYet while our question cannot be seen."""
    consultation = session.get(Consultation, message.consultation_id, with_for_update=True)
    if consultation is None:
        raise NotYet(f"consultation {message.consultation_id} is not known yet")
    if consultation.answered_at is not None and consultation.answered_at > message.answered_at:
        return
    consultation.answer, consultation.answered_at = message.answer, message.answered_at


def reply(session: Session, *, consultation_id: UUID, actor: Actor, now: datetime) -> Consultation:
    """The owner was given the answer [R23]; after the promised time that does not undo the miss."""
    consultation = session.get(Consultation, consultation_id, with_for_update=True)
    if consultation is None or not actor.sees(consultation.site_id):
        raise NotFound("consultation", consultation_id)
    if consultation.answer is None:
        raise RuleBroken("no_answer_yet", f"the {consultation.department} department has not answered", rule="R23")
    if consultation.replied_at is not None:
        raise RuleBroken("replied_already", "the owner has his reply", rule="R23")
    consultation.replied_at = now
    if consultation.reply_ended_at is None and kept(consultation.reply_due_at, now):
        consultation.reply_ended_at = now
    return consultation


def miss_due(session: Session, *, now: datetime) -> int:
    """A promised reply time passed without a reply: it is marked, stays open, and the desk head is told [R23]."""
    missed = session.execute(
        update(Consultation)
        .where(Consultation.id.in_(REPLY.claim(Consultation.id, now=now)))
        .values(reply_ended_at=now, reply_missed=True)
        .returning(
            Consultation.id,
            Consultation.site_id,
            Consultation.request_id,
            Consultation.department,
            Consultation.reply_due_at,
        )
    ).all()
    raise_alerts(
        session,
        [
            Alert(
                "reply_missed",
                row.site_id,
                row.id,
                role="desk_head",
                facts={
                    "request_id": str(row.request_id),
                    "department": row.department,
                    "due_at": row.reply_due_at.isoformat(),
                },
            )
            for row in missed
        ],
        now=now,
    )
    return len(missed)
