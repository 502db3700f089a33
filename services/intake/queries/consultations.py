"""Questions put to departments [R19, R23]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.intake.models import Consultation, Request
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


def consultations_of(session: Session, actor: Actor, request_id: UUID) -> list[ConsultationView]:
    """The questions put about one request, in order."""
    query = select(Consultation).where(Consultation.request_id == request_id, at_sites_of(actor, Consultation.site_id))
    return [consultation_view(one) for one in session.scalars(query.order_by(Consultation.id))]


@dataclass(frozen=True)
class AskedView:
    """A question that waits, with what it is about."""

    consultation: ConsultationView
    number: str
    address: str
    owner_name: str


def consultations_waiting(
    session: Session, actor: Actor, *, waiting: bool, site_id: UUID | None, limit: int
) -> list[AskedView]:
    """Questions whose owner waits for his reply, the soonest promise first; or all, the last asked first [R23]."""
    query = (
        select(Consultation, Request.number, Request.address, Request.owner_name)
        .join(Request, Request.id == Consultation.request_id)
        .where(at_sites_of(actor, Consultation.site_id))
        .limit(limit)
    )
    if site_id is not None:
        query = query.where(Consultation.site_id == site_id)
    if waiting:
        query = query.where(Consultation.reply_ended_at.is_(None)).order_by(Consultation.reply_due_at)
    else:
        query = query.order_by(Consultation.id.desc())
    return [AskedView(consultation_view(row[0]), *row[1:]) for row in session.execute(query)]


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
