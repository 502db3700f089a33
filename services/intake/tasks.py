"""What the front desk hears, and what it does by the clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.intake.actions import (
    callback,
    cash_alert,
    consultation,
    copy,
    damage,
    notice,
    price,
    privacy,
    refund,
    request,
    revision,
    revisit,
    statistics,
)
from services.intake.models import CALLBACK, ERASE, MONTH_END, REPLY, REVISIT, WARN
from shared import people
from shared.api_tokens import token_changed
from shared.errors import NotYet
from shared.messages import (
    AcknowledgementMissed,
    CashNotHandedOver,
    CashReturned,
    ConsultationAnswered,
    DamageReported,
    DepartmentFiguresGiven,
    FeeCollected,
    FeeRefunded,
    FinanceFiguresGiven,
    NoticeReturned,
    NoticesReceived,
    PersonChanged,
    PricePublished,
    SessionEnded,
    SiteChanged,
    SupportRequested,
    TokenChanged,
    WorkAccepted,
    WorkAcknowledged,
    WorkAssigned,
    WorkDeclined,
    WorkTerminated,
)
from shared.sessions import session_ended
from shared.tasks import Tasks

tasks = Tasks("intake")


@tasks.hears(SiteChanged)
def hear_site_changed(session: Session, message: SiteChanged, *, now: datetime) -> None:
    """A site opened or changed."""
    if people.site_changed(session, message):
        statistics.site_changed(session, message.site_id, now=now)


@tasks.hears(PersonChanged)
def hear_person_changed(session: Session, message: PersonChanged, *, now: datetime) -> None:
    """A person joined, moved or left."""
    people.person_changed(session, message)


@tasks.hears(SessionEnded)
def hear_session_ended(session: Session, message: SessionEnded, *, now: datetime) -> None:
    """Somebody signed out."""
    session_ended(session, message)


@tasks.hears(TokenChanged)
def hear_token_changed(session: Session, message: TokenChanged, *, now: datetime) -> None:
    """An API token was issued or revoked."""
    token_changed(session, message)


@tasks.hears(PricePublished)
def hear_price_published(session: Session, message: PricePublished, *, now: datetime) -> None:
    """A price book version was approved."""
    price.published(session, message)


@tasks.hears(ConsultationAnswered)
def hear_consultation_answered(session: Session, message: ConsultationAnswered, *, now: datetime) -> None:
    """A department answered a question."""
    consultation.answered(session, message)


@tasks.hears(WorkAcknowledged)
def hear_work_acknowledged(session: Session, message: WorkAcknowledged, *, now: datetime) -> None:
    """A department has its copy of a notice."""
    notice.acknowledged(session, message)


@tasks.hears(AcknowledgementMissed)
def hear_acknowledgement_missed(session: Session, message: AcknowledgementMissed, *, now: datetime) -> None:
    """A department did not take a notice in time."""
    notice.acknowledgement_missed(session, message, now=now)


@tasks.hears(WorkDeclined)
def hear_work_declined(session: Session, message: WorkDeclined, *, now: datetime) -> None:
    """A department declined a notice."""
    revision.declined(session, message, now=now)


@tasks.hears(NoticesReceived)
def hear_notices_received(session: Session, message: NoticesReceived, *, now: datetime) -> None:
    """Finance has its copies."""
    copy.received_by_finance(session, message)


@tasks.hears(NoticeReturned)
def hear_notice_returned(session: Session, message: NoticeReturned, *, now: datetime) -> None:
    """A department brought its copy back."""
    copy.returned(session, message)


@tasks.hears(DamageReported)
def hear_damage_reported(session: Session, message: DamageReported, *, now: datetime) -> None:
    """Something of an owner's was damaged."""
    damage.reported(session, message, now=now)


@tasks.hears(WorkAssigned)
def hear_work_assigned(session: Session, message: WorkAssigned, *, now: datetime) -> None:
    """A head chose who goes."""
    notice.assigned(session, message)


@tasks.hears(SupportRequested)
def hear_support_requested(session: Session, message: SupportRequested, *, now: datetime) -> None:
    """A worker needs support or stopped for safety."""
    notice.support_requested(session, message, now=now)


@tasks.hears(WorkAccepted)
def hear_work_accepted(session: Session, message: WorkAccepted, *, now: datetime) -> None:
    """The owner signed."""
    notice.accepted(session, message)


@tasks.hears(WorkTerminated)
def hear_work_terminated(session: Session, message: WorkTerminated, *, now: datetime) -> None:
    """A job ended undone."""
    notice.terminated(session, message)


@tasks.hears(FeeCollected)
def hear_fee_collected(session: Session, message: FeeCollected, *, now: datetime) -> None:
    """A fee was taken."""
    request.fee_collected(session, message)


@tasks.hears(FeeRefunded)
def hear_fee_refunded(session: Session, message: FeeRefunded, *, now: datetime) -> None:
    """A fee was given back."""
    refund.refunded(session, message)


@tasks.hears(CashNotHandedOver)
def hear_cash_not_handed_over(session: Session, message: CashNotHandedOver, *, now: datetime) -> None:
    """Cash is missing at finance."""
    cash_alert.not_handed_over(session, message)


@tasks.hears(CashReturned)
def hear_cash_returned(session: Session, message: CashReturned, *, now: datetime) -> None:
    """Missing cash reached finance after all."""
    if not cash_alert.returned(session, message):
        raise NotYet(f"missing cash {message.missing_id} is not known yet")


@tasks.hears(DepartmentFiguresGiven)
def hear_department_figures(session: Session, message: DepartmentFiguresGiven, *, now: datetime) -> None:
    """A field department's count of the month."""
    statistics.figures_given(session, message)


@tasks.hears(FinanceFiguresGiven)
def hear_finance_figures(session: Session, message: FinanceFiguresGiven, *, now: datetime) -> None:
    """Finance's count of the month."""
    statistics.figures_given(session, message)


@tasks.tick(WARN)
def warn_callbacks(session: Session, *, now: datetime) -> int:
    """Little time is left to call back."""
    return callback.warn_due(session, now=now)


@tasks.tick(CALLBACK)
def miss_callbacks(session: Session, *, now: datetime) -> int:
    """The ten minutes are over."""
    return callback.miss_due(session, now=now)


@tasks.tick(REPLY)
def miss_replies(session: Session, *, now: datetime) -> int:
    """A promised reply time is over."""
    return consultation.miss_due(session, now=now)


@tasks.tick(REVISIT)
def list_revisits(session: Session, *, now: datetime) -> int:
    """Revisits become due."""
    return revisit.list_due(session, now=now)


@tasks.tick(MONTH_END)
def end_months(session: Session, *, now: datetime) -> int:
    """A site's month is over."""
    return statistics.end_months(session, now=now)


@tasks.tick(ERASE)
def erase_owners(session: Session, *, now: datetime) -> int:
    """A request ended so long ago that its owner is forgotten."""
    return privacy.erase_due(session, now=now)
