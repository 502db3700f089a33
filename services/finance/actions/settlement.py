"""The month's settlement: close, agree the accounts, compute, approve, pay out [R89-R94, D18]."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.models import MONTH_CLOSE, Settlement, SettlementLine, Site, SiteDay
from services.finance.queries.payouts import payout_lines
from services.finance.rules.access import MAY
from services.finance.rules.ledger import JournalKind, settlement_approved
from services.finance.rules.settlement import (
    SETTLEMENT,
    MonthClosePolicy,
    SettlementState,
    SettlementStep,
    check_accounts_ready,
    check_received,
)
from shared.access import check_four_eyes
from shared.bus.outbox import publish
from shared.calendar import business_month, first_day, last_day, month_closes_at, month_of, next_month
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import PayoutApproved, PayoutReceived, StatisticsAgreed
from shared.people import Actor, known_site, site_for
from shared.policy_rows import in_force_at


def open_months(session: Session, months: Sequence[tuple[UUID, str]], *, now: datetime) -> None:
    """Begin the settlements of months (site, month), each with the moment it will close as far as known [D18]."""
    session.execute(insert(Settlement).on_conflict_do_nothing(), _begun(session, months, now=now))


def days_begun(session: Session, days: Sequence[tuple[UUID, date]], *, now: datetime) -> None:
    """Where the last day of a month begins, its closing time is known, and so is when the month closes [D18]."""
    ending = [(site_id, month_of(day)) for site_id, day in days if day == last_day(month_of(day))]
    if ending:
        at_last = insert(Settlement)
        at_last = at_last.on_conflict_do_update(
            index_elements=[Settlement.site_id, Settlement.month],
            set_={"closes_at": at_last.excluded.closes_at},
            where=Settlement.state == SettlementState.OPEN,
        )
        session.execute(at_last, _begun(session, ending, now=now))


def _begun(session: Session, months: Sequence[tuple[UUID, str]], *, now: datetime) -> list[dict[str, Any]]:
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.id.in_([id_ for id_, _ in months])))}
    policies = in_force_at(session, MonthClosePolicy, site_ids=list(sites), at=now)
    return [
        {
            "id": new_id(),
            "site_id": site_id,
            "month": month,
            "state": SettlementState.OPEN,
            "closes_at": month_closes_at(
                month,
                zone=sites[site_id].zone,
                closing=sites[site_id].closing,
                pause=timedelta(minutes=policies[site_id].minutes_after_closing),
            ),
        }
        for site_id, month in months
    ]


def site_opened(session: Session, site_id: UUID, *, now: datetime) -> None:
    """A site's first month is the one in which hr told us of it."""
    site = known_site(session, site_id)
    open_months(session, [(site_id, business_month(now, zone=site.zone, closing=site.closing))], now=now)


def close_due(session: Session, *, now: datetime) -> int:
    """Months that are over are closed, and the next ones begin [D18]."""
    closed = session.execute(
        update(Settlement)
        .where(Settlement.id.in_(MONTH_CLOSE.claim(Settlement.id, now=now)))
        .values(state=SETTLEMENT.move(SettlementState.OPEN, SettlementStep.CLOSE))
        .returning(Settlement.site_id, Settlement.month)
    ).all()
    if closed:
        open_months(session, [(row.site_id, next_month(row.month)) for row in closed], now=now)
    return len(closed)


def statistics_agreed(session: Session, message: StatisticsAgreed) -> None:
    """All four departments signed the statistics: the accounts may be agreed. Raises NotYet for an unknown month."""
    settlement = session.scalars(
        select(Settlement)
        .where(Settlement.site_id == message.site_id, Settlement.month == message.month)
        .with_for_update()
    ).one_or_none()
    if settlement is None:
        raise NotYet(f"the settlement of {message.month} at site {message.site_id} is not known yet")
    settlement.statistics_agreed_at = settlement.statistics_agreed_at or message.agreed_at


def settlement_for(session: Session, actor: Actor, site_id: UUID, month: str) -> Settlement:
    """A settlement at a site of the person asking, locked. Raises NotFound."""
    site_for(session, actor, site_id)
    settlement = session.scalars(
        select(Settlement).where(Settlement.site_id == site_id, Settlement.month == month).with_for_update()
    ).one_or_none()
    if settlement is None:
        raise NotFound("settlement", month)
    return settlement


def agree_accounts(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Settlement:
    """The actor's side signs the accounts, desk or finance; with both signatures finance may compute [R90]."""
    settlement = settlement_for(session, actor, site_id, month)
    desk_signs = actor.role == "desk_head"
    if (settlement.desk_agreed_by if desk_signs else settlement.finance_agreed_by) is not None:
        raise RuleBroken("signed_already", f"{'the desk' if desk_signs else 'finance'} has signed", rule="R90")
    other = settlement.finance_agreed_by if desk_signs else settlement.desk_agreed_by
    check_four_eyes(MAY["agree_accounts"], actor, signer=other)
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.AGREE if other else SettlementStep.SIGN)
    check_accounts_ready(
        statistics_agreed=settlement.statistics_agreed_at is not None,
        unclosed_days=_unclosed_days(session, site_id, month),
    )
    if desk_signs:
        settlement.desk_agreed_by, settlement.desk_agreed_at = actor.person_id, now
    else:
        settlement.finance_agreed_by, settlement.finance_agreed_at = actor.person_id, now
    return settlement


def _unclosed_days(session: Session, site_id: UUID, month: str) -> int:
    return session.scalars(
        select(func.count())
        .select_from(SiteDay)
        .where(
            SiteDay.site_id == site_id,
            SiteDay.day.between(first_day(month), last_day(month)),
            SiteDay.closed_at.is_(None),
        )
    ).one()


_CARRY_OVER = text("""
    INSERT INTO carryovers (from_settlement_id, person_id, kind, name, site_id, month, amount_fen, case_numbers)
    SELECT l.settlement_id, l.person_id, c.kind, l.name, :site_id, :month, c.amount_fen, c.case_numbers
    FROM settlement_lines l
    CROSS JOIN LATERAL (VALUES ('fine', l.carried_fen, l.case_numbers),
                               ('share', l.share_carried_fen, CAST('{}' AS text[]))
    ) AS c (kind, amount_fen, case_numbers)
    WHERE l.settlement_id = :settlement_id AND c.amount_fen > 0
""")
_SETTLE_FINES = text("UPDATE fines SET settled_at = :now WHERE settlement_id = :settlement_id")
_SETTLE_REWARDS = text("UPDATE proposals SET settled_at = :now WHERE settlement_id = :settlement_id")


def approve(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Settlement:
    """The leader in charge approves the lines as computed: posted, and sent to HR to be paid to each person [R92]."""
    settlement = settlement_for(session, actor, site_id, month)
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.APPROVE)
    signers = frozenset(filter(None, (settlement.desk_agreed_by, settlement.finance_agreed_by)))
    check_four_eyes(MAY["approve_settlement"], actor, proposer=settlement.drafted_by, signer=signers)
    settlement.approved_by, settlement.approved_at = actor.person_id, now
    session.execute(_SETTLE_FINES, {"settlement_id": settlement.id, "now": now})
    session.execute(_SETTLE_REWARDS, {"settlement_id": settlement.id, "now": now})
    session.execute(_CARRY_OVER, {"settlement_id": settlement.id, "site_id": site_id, "month": month})
    lines = payout_lines(session, settlement)
    post(
        session,
        site_id=site_id,
        kind=JournalKind.SETTLEMENT,
        reference=str(settlement.id),
        lines=settlement_approved(lines),
        now=now,
    )
    publish(
        session,
        PayoutApproved(
            settlement_id=settlement.id,
            site_id=site_id,
            month=month,
            lines=lines,
            net_fen=settlement.net_fen,
            from_wage_fen=settlement.from_wage_fen,
            approved_by=actor.person_id,
            approved_at=now,
        ),
    )
    return settlement


def payout_received(session: Session, message: PayoutReceived) -> None:
    """HR holds every line of the payout: the month is done. Raises RuleBroken when HR holds something else."""
    settlement = session.get(Settlement, message.settlement_id, with_for_update=True)
    if settlement is None:
        raise NotYet(f"settlement {message.settlement_id} is not known yet")
    if settlement.state is SettlementState.RECEIVED:
        return
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.RECEIVE)
    check_received(
        ours=(_line_count(session, settlement.id), settlement.net_fen),
        theirs=(message.line_count, message.net_fen),
    )
    settlement.hr_received_at = message.received_at


def _line_count(session: Session, settlement_id: UUID) -> int:
    return session.scalars(
        select(func.count()).select_from(SettlementLine).where(SettlementLine.settlement_id == settlement_id)
    ).one()
