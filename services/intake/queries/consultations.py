"""Questions put to departments [R19, R23]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import Consultation
from shared.access import at_sites_of
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class ConsultationView:
    """A question to a department and what became of it."""

    id: UUID
    request_id: UUID
    site_id: UUID
    department: str
    question: str
    reply_due_at: datetime
    answer: str | None
    replied_at: datetime | None
    reply_missed: bool


def consultations(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[ConsultationView]:
    """Questions put to departments."""
    return page_of(
        session,
        select(Consultation).where(at_sites_of(actor, Consultation.site_id)),
        Consultation.id,
        consultation_view,
        after=after,
        limit=limit,
    )


def consultation_view(c: Consultation) -> ConsultationView:
    """One question as shown."""
    return ConsultationView(
        c.id,
        c.request_id,
        c.site_id,
        c.department,
        c.question,
        c.reply_due_at,
        c.answer,
        c.replied_at,
        c.reply_missed,
    )
