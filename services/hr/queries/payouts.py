"""Payouts, each line with its payment."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from services.hr.models import Payment, Payout, PayoutLine
from shared.access import at_sites_of
from shared.messages import JobShare
from shared.paging import Page, page_of
from shared.people import Actor


@dataclass(frozen=True)
class FailureView:
    """An attempt to pay that failed."""

    attempt: int
    cause: str
    reason: str
    told_by: UUID | None
    failed_at: datetime


@dataclass(frozen=True)
class PayoutLineView:
    """What one person is paid (fen), how it came about, and whether he was paid."""

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    net_fen: int
    case_numbers: list[str]
    carried_fen: int
    guard: str
    jobs: list[JobShare]
    state: str
    reference: str | None
    paid_at: datetime | None
    failures: list[FailureView]


@dataclass(frozen=True)
class PayoutView:
    """A site's payout of a month (fen)."""

    settlement_id: UUID
    site_id: UUID
    month: str
    net_fen: int
    from_wage_fen: int
    approved_by: UUID
    approved_at: datetime
    received_at: datetime
    lines: list[PayoutLineView]


WITH_PAYMENT = selectinload(PayoutLine.payment).selectinload(Payment.failures)
"""How a line is loaded to be shown."""


def payouts(session: Session, actor: Actor, *, after: UUID | None, limit: int) -> Page[PayoutView]:
    """Payouts with every line."""
    whole = selectinload(Payout.lines).options(WITH_PAYMENT)
    query = select(Payout).where(at_sites_of(actor, Payout.site_id)).options(whole)
    return page_of(session, query, Payout.settlement_id, _payout_view, after=after, limit=limit)


def _payout_view(p: Payout) -> PayoutView:
    return PayoutView(
        settlement_id=p.settlement_id,
        site_id=p.site_id,
        month=p.month,
        net_fen=p.net_fen,
        from_wage_fen=p.from_wage_fen,
        approved_by=p.approved_by,
        approved_at=p.approved_at,
        received_at=p.received_at,
        lines=[line_view(line) for line in p.lines],
    )


def payout_line(session: Session, settlement_id: UUID, person_id: UUID) -> PayoutLineView:
    """One line with its payment, for who was let change it."""
    session.flush()
    query = (
        select(PayoutLine)
        .where(PayoutLine.settlement_id == settlement_id, PayoutLine.person_id == person_id)
        .options(WITH_PAYMENT)
        .execution_options(populate_existing=True)
    )
    return line_view(session.scalars(query).one())


def line_view(line: PayoutLine) -> PayoutLineView:
    """A line loaded with its payment, as shown."""
    payment = line.payment
    return PayoutLineView(
        person_id=line.person_id,
        name=line.name,
        share_fen=line.share_fen,
        reward_fen=line.reward_fen,
        fine_fen=line.fine_fen,
        from_bonus_fen=line.from_bonus_fen,
        from_wage_fen=line.from_wage_fen,
        net_fen=line.net_fen,
        case_numbers=line.case_numbers,
        carried_fen=line.carried_fen,
        guard=line.guard,
        jobs=[JobShare.model_validate(job) for job in line.jobs],
        state=payment.state,
        reference=payment.reference,
        paid_at=payment.paid_at,
        failures=[FailureView(f.attempt, f.cause, f.reason, f.told_by, f.failed_at) for f in payment.failures],
    )
