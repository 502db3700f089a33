"""What hr hears, and what it does by the clock, inside the house and outside."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.hr.actions import appeal, attempt, case, heard, payout, task
from services.hr.models import CASE_APPEAL, HR_TASK, WEBHOOK_DELIVERY
from shared.errors import NotYet
from shared.messages import (
    CallbackMissed,
    CashNotHandedOver,
    CashReturned,
    DutyNeglected,
    DutyOverridden,
    LedgerAnchored,
    MonthReported,
    PayoutApproved,
    PrivateJobReported,
)
from shared.tasks import Errand, Tasks

tasks = Tasks("hr")


@tasks.hears(CallbackMissed)
def hear_callback_missed(session: Session, message: CallbackMissed, *, now: datetime) -> None:
    """An owner was not called back in time."""
    heard.callback_missed(session, message, now=now)


@tasks.hears(DutyOverridden)
def hear_duty_overridden(session: Session, message: DutyOverridden, *, now: datetime) -> None:
    """A head sent a worker whose duties were not done."""
    heard.duty_overridden(session, message)


@tasks.hears(DutyNeglected)
def hear_duty_neglected(session: Session, message: DutyNeglected, *, now: datetime) -> None:
    """Regular work was left undone for paid work: a case opens."""
    case.duty_neglected(session, message, now=now)


@tasks.hears(PrivateJobReported)
def hear_private_job_reported(session: Session, message: PrivateJobReported, *, now: datetime) -> None:
    """Somebody took a paid job privately: a case opens."""
    case.private_job_reported(session, message, now=now)


@tasks.hears(MonthReported)
def hear_month_reported(session: Session, message: MonthReported, *, now: datetime) -> None:
    """A site's month of statistics was agreed."""
    heard.month_reported(session, message)


@tasks.hears(CashNotHandedOver)
def hear_cash_not_handed_over(session: Session, message: CashNotHandedOver, *, now: datetime) -> None:
    """Cash is missing at finance: a case opens."""
    case.cash_not_handed_over(session, message, now=now)


@tasks.hears(CashReturned)
def hear_cash_returned(session: Session, message: CashReturned, *, now: datetime) -> None:
    """Missing cash reached finance after all."""
    if not case.cash_returned(session, message):
        raise NotYet(f"missing cash {message.missing_id} is not known yet")


@tasks.hears(PayoutApproved)
def hear_payout_approved(session: Session, message: PayoutApproved, *, now: datetime) -> None:
    """The leader approved a payout."""
    payout.approved(session, message, now=now)


@tasks.hears(LedgerAnchored)
def hear_ledger_anchored(session: Session, message: LedgerAnchored, *, now: datetime) -> None:
    """Finance says where its ledger's chain stands."""
    heard.ledger_anchored(session, message, now=now)


@tasks.tick(HR_TASK)
def mark_late_tasks(session: Session, *, now: datetime) -> int:
    """A step's time is over."""
    return task.mark_late(session, now=now)


@tasks.tick(CASE_APPEAL)
def end_appeal_time(session: Session, *, now: datetime) -> int:
    """Nobody appealed in time: the decision is final."""
    return appeal.lapse(session, now=now)


tasks.errands.append(Errand(WEBHOOK_DELIVERY, attempt.claim, attempt.send, attempt.record))
