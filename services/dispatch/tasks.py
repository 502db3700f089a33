"""What the departments hear, and what they do by the clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.dispatch.actions import certificate, consultation, figures, owner_link, privacy, team, visit, work_order
from services.dispatch.models import ACKNOWLEDGE, ARRIVE, ASSIGN, CERTIFICATE
from shared.api_tokens import token_changed
from shared.messages import (
    ConsultationAsked,
    MonthFiguresAsked,
    NoticeCancelled,
    NoticeIssued,
    NoticeRevised,
    OwnerErased,
    OwnerLinkGiven,
    PersonChanged,
    ReworkOrdered,
    SessionEnded,
    SiteChanged,
    TokenChanged,
)
from shared.people import person_changed, site_changed
from shared.sessions import session_ended
from shared.tasks import Tasks

tasks = Tasks("dispatch")


@tasks.hears(SiteChanged)
def hear_site_changed(session: Session, message: SiteChanged, *, now: datetime) -> None:
    """A site opened or changed."""
    site_changed(session, message)


@tasks.hears(PersonChanged)
def hear_person_changed(session: Session, message: PersonChanged, *, now: datetime) -> None:
    """A person joined, moved or left, or his certificates changed."""
    if person_changed(session, message):
        certificate.held(session, message, now=now)


@tasks.hears(SessionEnded)
def hear_session_ended(session: Session, message: SessionEnded, *, now: datetime) -> None:
    """Somebody signed out."""
    session_ended(session, message)


@tasks.hears(TokenChanged)
def hear_token_changed(session: Session, message: TokenChanged, *, now: datetime) -> None:
    """An API token was issued or revoked."""
    token_changed(session, message)


@tasks.hears(NoticeIssued)
def hear_notice_issued(session: Session, message: NoticeIssued, *, now: datetime) -> None:
    """The department's copy of a notice."""
    work_order.notice_issued(session, message, now=now)


@tasks.hears(OwnerLinkGiven)
def hear_owner_link_given(session: Session, message: OwnerLinkGiven, *, now: datetime) -> None:
    """By which link an owner comes to sign."""
    owner_link.owner_link_given(session, message)


@tasks.hears(NoticeRevised)
def hear_notice_revised(session: Session, message: NoticeRevised, *, now: datetime) -> None:
    """What was agreed on a notice changed."""
    work_order.notice_revised(session, message, now=now)


@tasks.hears(NoticeCancelled)
def hear_notice_cancelled(session: Session, message: NoticeCancelled, *, now: datetime) -> None:
    """A notice was withdrawn."""
    work_order.notice_cancelled(session, message)


@tasks.hears(ReworkOrdered)
def hear_rework_ordered(session: Session, message: ReworkOrdered, *, now: datetime) -> None:
    """A revisit found a problem."""
    work_order.rework_ordered(session, message, now=now)


@tasks.hears(ConsultationAsked)
def hear_consultation_asked(session: Session, message: ConsultationAsked, *, now: datetime) -> None:
    """The desk has a question."""
    consultation.asked(session, message, now=now)


@tasks.hears(MonthFiguresAsked)
def hear_month_figures_asked(session: Session, message: MonthFiguresAsked, *, now: datetime) -> None:
    """The desk wants the departments' counts of the month."""
    figures.asked(session, message)


@tasks.hears(OwnerErased)
def hear_owner_erased(session: Session, message: OwnerErased, *, now: datetime) -> None:
    """The desk erased an owner."""
    privacy.owner_erased(session, message, now=now)


@tasks.tick(ACKNOWLEDGE)
def note_unacknowledged(session: Session, *, now: datetime) -> int:
    """The time to acknowledge is over."""
    return work_order.note_unacknowledged(session, now=now)


@tasks.tick(ASSIGN)
def note_unassigned(session: Session, *, now: datetime) -> int:
    """The time to assign a rework is over."""
    return team.note_unassigned(session, now=now)


@tasks.tick(ARRIVE)
def note_late(session: Session, *, now: datetime) -> int:
    """The time to arrive is over."""
    return visit.note_late(session, now=now)


@tasks.tick(CERTIFICATE)
def note_ending(session: Session, *, now: datetime) -> int:
    """A certificate ends soon."""
    return certificate.note_ending(session, now=now)
