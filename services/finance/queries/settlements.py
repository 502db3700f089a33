"""The settlements of a month, each person's line with what became of its payment [R89-R94]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from services.finance.models import Settlement, SettlementLine, Site
from services.finance.rules.settlement import SettlementState
from shared.access import at_sites_of
from shared.errors import NotFound
from shared.messages import Guard
from shared.people import Actor


@dataclass(frozen=True)
class PayoutFailureView:
    """Why HR could not pay a person, at the last attempt [R92]."""

    attempt: int
    cause: str
    reason: str
    failed_at: datetime


@dataclass(frozen=True)
class SettlementLineView:
    """What one person gets for a month, why, and whether he has it [R91-R94]; see `PayoutLine` for the sums.

    share = earned by his jobs - brought + share_carried; `failure` is empty once he is paid.
    """

    person_id: UUID
    name: str
    share_fen: int
    reward_fen: int
    fine_fen: int
    from_bonus_fen: int
    from_wage_fen: int
    carried_fen: int
    guard: Guard
    brought_fen: int
    share_carried_fen: int
    net_fen: int
    case_numbers: list[str]
    paid_at: datetime | None = None
    payment_reference: str | None = None
    failure: PayoutFailureView | None = None


@dataclass(frozen=True)
class SettlementView:
    """A site's month."""

    id: UUID
    site_id: UUID
    month: str
    state: str
    closes_at: datetime
    statistics_agreed_at: datetime | None
    desk_agreed_by: UUID | None
    finance_agreed_by: UUID | None
    drafted_by: UUID | None
    approved_by: UUID | None
    approved_at: datetime | None
    hr_received_at: datetime | None
    received_fen: int
    company_fen: int
    workers_fen: int
    reserve_fen: int
    rewards_fen: int
    fines_from_bonus_fen: int
    from_wage_fen: int
    carried_fen: int
    brought_fen: int
    share_carried_fen: int
    net_fen: int
    lines: list[SettlementLineView]


def _line_view(line: SettlementLine) -> SettlementLineView:
    last = line.failures[-1] if line.failures and line.paid_at is None else None
    return SettlementLineView(
        person_id=line.person_id,
        name=line.name,
        share_fen=line.share_fen,
        reward_fen=line.reward_fen,
        fine_fen=line.fine_fen,
        from_bonus_fen=line.from_bonus_fen,
        from_wage_fen=line.from_wage_fen,
        carried_fen=line.carried_fen,
        guard=line.guard,
        brought_fen=line.brought_fen,
        share_carried_fen=line.share_carried_fen,
        net_fen=line.net_fen,
        case_numbers=line.case_numbers,
        paid_at=line.paid_at,
        payment_reference=line.payment_reference,
        failure=PayoutFailureView(last.attempt, last.cause, last.reason, last.failed_at) if last else None,
    )


LINES = selectinload(Settlement.lines).selectinload(SettlementLine.failures)


def settlement_of(session: Session, actor: Actor, site_id: UUID, month: str) -> Settlement:
    """A site's month with its lines. Raises NotFound when it is none of the person's sites."""
    settlement = session.scalars(
        select(Settlement)
        .where(Settlement.site_id == site_id, Settlement.month == month, at_sites_of(actor, Settlement.site_id))
        .options(LINES)
    ).one_or_none()
    if settlement is None:
        raise NotFound("settlement", month)
    return settlement


def settlement_by_month(session: Session, actor: Actor, *, site_id: UUID, month: str) -> SettlementView:
    """A site's month. Raises NotFound when it is none of the person's sites."""
    return settlement_view(settlement_of(session, actor, site_id, month))


def settlements_computed(session: Session, actor: Actor) -> list[SettlementView]:
    """Months that were computed and wait for the leader's approval [R92]."""
    query = (
        select(Settlement)
        .where(Settlement.state == SettlementState.COMPUTED, at_sites_of(actor, Settlement.site_id))
        .order_by(Settlement.month, Settlement.site_id)
        .options(LINES)
    )
    return [settlement_view(settlement) for settlement in session.scalars(query)]


def month_to_close(session: Session, actor: Actor) -> str | None:
    """The newest month of the person's sites that is over; where none is, the newest. None before the first."""
    over = func.max(Settlement.month).filter(Settlement.state != SettlementState.OPEN)
    query = select(func.coalesce(over, func.max(Settlement.month))).where(at_sites_of(actor, Settlement.site_id))
    return session.scalars(query).one()


def settlements(session: Session, actor: Actor, *, month: str) -> list[SettlementView]:
    """A month's settlement at each of the person's sites, by code."""
    query = (
        select(Settlement)
        .join(Site, Site.id == Settlement.site_id)
        .where(Settlement.month == month, at_sites_of(actor, Settlement.site_id))
        .order_by(Site.code)
        .options(LINES)
    )
    return [settlement_view(settlement) for settlement in session.scalars(query)]


def settlement_as_left(session: Session, settlement: Settlement) -> SettlementView:
    """A settlement as the action under way leaves it."""
    session.flush()
    return settlement_view(
        session.scalars(
            select(Settlement)
            .where(Settlement.id == settlement.id)
            .options(LINES)
            .execution_options(populate_existing=True)
        ).one()
    )


def settlement_view(settlement: Settlement) -> SettlementView:
    """One settlement as shown; its lines and their failures are loaded."""
    return SettlementView(
        id=settlement.id,
        site_id=settlement.site_id,
        month=settlement.month,
        state=settlement.state,
        closes_at=settlement.closes_at,
        statistics_agreed_at=settlement.statistics_agreed_at,
        desk_agreed_by=settlement.desk_agreed_by,
        finance_agreed_by=settlement.finance_agreed_by,
        drafted_by=settlement.drafted_by,
        approved_by=settlement.approved_by,
        approved_at=settlement.approved_at,
        hr_received_at=settlement.hr_received_at,
        received_fen=settlement.received_fen,
        company_fen=settlement.company_fen,
        workers_fen=settlement.workers_fen,
        reserve_fen=settlement.reserve_fen,
        rewards_fen=settlement.rewards_fen,
        fines_from_bonus_fen=settlement.fines_from_bonus_fen,
        from_wage_fen=settlement.from_wage_fen,
        carried_fen=settlement.carried_fen,
        brought_fen=settlement.brought_fen,
        share_carried_fen=settlement.share_carried_fen,
        net_fen=settlement.net_fen,
        lines=[_line_view(line) for line in settlement.lines],
    )
