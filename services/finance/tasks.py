"""What finance hears, and what it does by the clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.finance.actions import (
    charge,
    daily_check,
    damage,
    figures,
    fine,
    ledger,
    missing_cash,
    payment,
    privacy,
    settlement,
    wage,
)
from services.finance.models import CASH_CHASE, DAILY_CHECK, LEDGER_ANCHOR, LEDGER_SEAL, MONTH_CLOSE
from shared.api_tokens import token_changed
from shared.messages import (
    DamageReported,
    FineConfirmed,
    MonthFiguresAsked,
    NoticeCancelled,
    NoticeIssued,
    NoticeRevised,
    OwnerErased,
    PayoutFailed,
    PayoutPaid,
    PayoutReceived,
    PersonChanged,
    SessionEnded,
    SiteChanged,
    StatisticsAgreed,
    TokenChanged,
    WageChanged,
    WorkAccepted,
    WorkTerminated,
)
from shared.people import person_changed, site_changed
from shared.sessions import session_ended
from shared.tasks import Tasks

tasks = Tasks("finance")


@tasks.hears(SiteChanged)
def hear_site_changed(session: Session, message: SiteChanged, *, now: datetime) -> None:
    """A site opened or changed."""
    if site_changed(session, message):
        daily_check.site_opened(session, message.site_id, now=now)
        settlement.site_opened(session, message.site_id, now=now)


@tasks.hears(PersonChanged)
def hear_person_changed(session: Session, message: PersonChanged, *, now: datetime) -> None:
    """A person joined, moved or left."""
    person_changed(session, message)


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
    """Our copy of a notice came."""
    charge.noticed(session, message)


@tasks.hears(NoticeRevised)
def hear_notice_revised(session: Session, message: NoticeRevised, *, now: datetime) -> None:
    """What was agreed changed."""
    charge.revised(session, message)


@tasks.hears(DamageReported)
def hear_damage_reported(session: Session, message: DamageReported, *, now: datetime) -> None:
    """Something of the owner's was damaged."""
    damage.reported(session, message)


@tasks.hears(NoticeCancelled)
def hear_notice_cancelled(session: Session, message: NoticeCancelled, *, now: datetime) -> None:
    """A notice was withdrawn."""
    charge.cancelled(session, message)


@tasks.hears(WorkAccepted)
def hear_work_accepted(session: Session, message: WorkAccepted, *, now: datetime) -> None:
    """The owner signed."""
    charge.accepted(session, message)


@tasks.hears(WorkTerminated)
def hear_work_terminated(session: Session, message: WorkTerminated, *, now: datetime) -> None:
    """A job ended undone."""
    charge.terminated(session, message)


@tasks.hears(FineConfirmed)
def hear_fine_confirmed(session: Session, message: FineConfirmed, *, now: datetime) -> None:
    """The leader confirmed a fine."""
    fine.confirmed(session, message)


@tasks.hears(StatisticsAgreed)
def hear_statistics_agreed(session: Session, message: StatisticsAgreed, *, now: datetime) -> None:
    """Four departments signed the month's statistics."""
    settlement.statistics_agreed(session, message)


@tasks.hears(MonthFiguresAsked)
def hear_month_figures_asked(session: Session, message: MonthFiguresAsked, *, now: datetime) -> None:
    """The desk asks for our count of the month."""
    figures.asked(session, message)


@tasks.hears(PayoutReceived)
def hear_payout_received(session: Session, message: PayoutReceived, *, now: datetime) -> None:
    """HR holds a payout."""
    settlement.payout_received(session, message)


@tasks.hears(WageChanged)
def hear_wage_changed(session: Session, message: WageChanged, *, now: datetime) -> None:
    """A person earns another wage."""
    wage.changed(session, message)


@tasks.hears(PayoutPaid)
def hear_payout_paid(session: Session, message: PayoutPaid, *, now: datetime) -> None:
    """HR paid a person."""
    payment.paid(session, message, now=now)


@tasks.hears(PayoutFailed)
def hear_payout_failed(session: Session, message: PayoutFailed, *, now: datetime) -> None:
    """HR could not pay a person."""
    payment.failed(session, message, now=now)


@tasks.hears(OwnerErased)
def hear_owner_erased(session: Session, message: OwnerErased, *, now: datetime) -> None:
    """The desk erased an owner."""
    privacy.owner_erased(session, message, now=now)


@tasks.tick(DAILY_CHECK)
def check_cash(session: Session, *, now: datetime) -> int:
    """A site closes for the day."""
    return daily_check.check_due(session, now=now)


@tasks.tick(CASH_CHASE)
def chase_cash(session: Session, *, now: datetime) -> int:
    """The morning after."""
    return missing_cash.chase_due(session, now=now)


@tasks.tick(MONTH_CLOSE)
def close_months(session: Session, *, now: datetime) -> int:
    """A site's month is over."""
    return settlement.close_due(session, now=now)


@tasks.tick(LEDGER_SEAL)
def seal_ledger(session: Session, *, now: datetime) -> int:
    """Journals were closed."""
    return ledger.seal_due(session, now=now)


@tasks.tick(LEDGER_ANCHOR)
def anchor_ledger(session: Session, *, now: datetime) -> int:
    """An hour since a journal that hr knows no later head of."""
    return ledger.anchor_due(session, now=now)
