"""The desk asks the department about time, fee or a technical question [R19, R23]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.dispatch.models import Consultation
from shared.bus.outbox import publish
from shared.db import held_by
from shared.errors import NotFound, RuleBroken
from shared.messages import ConsultationAnswered, ConsultationAsked
from shared.people import Actor, known_site


def asked(session: Session, message: ConsultationAsked, *, now: datetime) -> None:
    """Keep the question for the head; asked twice it is one question."""
    known_site(session, message.site_id)
    facts = held_by(Consultation, message)
    session.execute(
        insert(Consultation).values(id=message.consultation_id, received_at=now, **facts).on_conflict_do_nothing()
    )


def answer(session: Session, *, consultation_id: UUID, answer: str, actor: Actor, now: datetime) -> Consultation:
    """The head of the department answers, once."""
    consultation = session.get(Consultation, consultation_id, with_for_update=True)
    if consultation is None or not actor.sees(consultation.site_id) or consultation.department != actor.department:
        raise NotFound("consultation", consultation_id)
    if consultation.answer is not None:
        raise RuleBroken("answered_already", "the desk has the answer", rule="R23")
    consultation.answer, consultation.answered_by, consultation.answered_at = answer, actor.person_id, now
    publish(
        session,
        ConsultationAnswered(
            consultation_id=consultation.id,
            request_id=consultation.request_id,
            site_id=consultation.site_id,
            answer=answer,
            answered_by=actor.person_id,
            answered_at=now,
        ),
    )
    return consultation
