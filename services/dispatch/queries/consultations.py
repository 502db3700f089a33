"""Questions of the desk to the departments [R19, R23]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.dispatch.models import Consultation
from services.dispatch.rules.access import MAY
from shared.access import Own, at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class ConsultationView:
    """A question of the desk to a department, and its answer."""

    id: UUID
    request_id: UUID
    site_id: UUID
    department: str
    question: str
    reply_due_at: datetime
    received_at: datetime
    answer: str | None
    answered_by: UUID | None
    answered_at: datetime | None


def consultation_view(c: Consultation) -> ConsultationView:
    """One question as shown."""
    return ConsultationView(
        c.id,
        c.request_id,
        c.site_id,
        c.department,
        c.question,
        c.reply_due_at,
        c.received_at,
        c.answer,
        c.answered_by,
        c.answered_at,
    )


def consultations(
    session: Session, actor: Actor, *, unanswered: bool | None, after: UUID | None, limit: int
) -> Page[ConsultationView]:
    """Questions to the departments: those without answer, those with, or all; a head's own department's."""
    query = select(Consultation).where(at_sites_of(actor, Consultation.site_id))
    if MAY["read_consultations"].of(actor) is Own.DEPARTMENT:
        query = query.where(Consultation.department == actor.department)
    if unanswered is not None:
        query = query.where(Consultation.answer.is_(None) if unanswered else Consultation.answer.is_not(None))
    return page_of(session, query, Consultation.id, consultation_view, after=after, limit=limit)
