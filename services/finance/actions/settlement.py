"""The month's settlement: close, agree the accounts, compute, approve, pay out [R89-R94, D18]."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.actions.ledger import post
from services.finance.models import MONTH_CLOSE, Settlement, SettlementLine, Site, SiteDay
from services.finance.queries import payout_lines
from services.finance.rules.deduction import deduct
from services.finance.rules.four_eyes import check_four_eyes
from services.finance.rules.ledger import JournalKind, settlement_approved
from services.finance.rules.settlement import (
    SETTLEMENT,
    SettlementState,
    SettlementStep,
    check_accounts_ready,
    check_received,
)
from shared.bus.outbox import publish
from shared.calendar import business_month, first_day, last_day, month_closes_at, next_month
from shared.errors import NotFound, NotYet, RuleBroken
from shared.ids import new_id
from shared.messages import PayoutApproved, PayoutReceived, StatisticsAgreed
from shared.people import Actor, known_site, site_for


def open_months(session: Session, months: Sequence[tuple[UUID, str]]) -> None:
    """Begin the settlements of months (site, month), each with the moment it closes."""
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.id.in_([id_ for id_, _ in months])))}
    rows = [
        {
            "id": new_id(),
            "site_id": site_id,
            "month": month,
            "state": SettlementState.OPEN,
            "closes_at": month_closes_at(month, zone=sites[site_id].zone, closing=sites[site_id].closing),
        }
        for site_id, month in months
    ]
    session.execute(insert(Settlement).on_conflict_do_nothing(), rows)


def site_opened(session: Session, site_id: UUID, *, now: datetime) -> None:
    """A site's first month is the one in which hr told us of it."""
    site = known_site(session, site_id)
    open_months(session, [(site_id, business_month(now, zone=site.zone, closing=site.closing))])


def close_due(session: Session, *, now: datetime) -> int:
    """Months that are over are closed, and the next ones begin [D18]."""
    closed = session.execute(
        update(Settlement)
        .where(Settlement.id.in_(MONTH_CLOSE.claim(Settlement.id, now=now)))
        .values(state=SETTLEMENT.move(SettlementState.OPEN, SettlementStep.CLOSE))
        .returning(Settlement.site_id, Settlement.month)
    ).all()
    if closed:
        open_months(session, [(row.site_id, next_month(row.month)) for row in closed])
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


def _settlement_for(session: Session, actor: Actor, site_id: UUID, month: str) -> Settlement:
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
    settlement = _settlement_for(session, actor, site_id, month)
    desk_signs = actor.role == "desk_head"
    if (settlement.desk_agreed_by if desk_signs else settlement.finance_agreed_by) is not None:
        raise RuleBroken("signed_already", f"{'the desk' if desk_signs else 'finance'} has signed", rule="R90")
    other_signed = (settlement.finance_agreed_by if desk_signs else settlement.desk_agreed_by) is not None
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.AGREE if other_signed else SettlementStep.SIGN)
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


_CLAIM_FINES = text("""
    UPDATE fines SET settlement_id = :settlement_id
    WHERE site_id = :site_id AND month <= :month AND settlement_id IS NULL
""")
_CLAIM_REWARDS = text("""
    UPDATE proposals SET settlement_id = :settlement_id
    WHERE site_id = :site_id AND month <= :month AND settlement_id IS NULL AND use = 'reward' AND state = 'approved'
""")

_TOTALS = text("""
    SELECT coalesce(sum(amount_fen), 0) AS received_fen, coalesce(sum(company_fen), 0) AS company_fen,
           coalesce(sum(workers_fen), 0) AS workers_fen, coalesce(sum(reserve_fen), 0) AS reserve_fen
    FROM (
        SELECT amount_fen, company_fen, workers_fen, reserve_fen
        FROM receipts WHERE site_id = :site_id AND month = :month AND state = 'used'
        UNION ALL
        SELECT -amount_fen, -company_fen, -workers_fen, -reserve_fen
        FROM refunds WHERE site_id = :site_id AND month = :month
    ) income
""")

_PEOPLE = text("""
    WITH parts AS (
        SELECT s.person_id, w.name, s.share_fen, 0 AS reward_fen, 0 AS fine_fen, NULL AS case_number
        FROM receipts r
        JOIN receipt_shares s ON s.receipt_id = r.id
        JOIN charge_workers w ON w.request_id = r.request_id AND w.person_id = s.person_id
        WHERE r.site_id = :site_id AND r.month = :month AND r.state = 'used'
        UNION ALL
        SELECT s.person_id, w.name, s.share_fen, 0, 0, NULL
        FROM refunds f
        JOIN refund_shares s ON s.refund_id = f.id
        JOIN receipts r ON r.id = f.receipt_id
        JOIN charge_workers w ON w.request_id = r.request_id AND w.person_id = s.person_id
        WHERE f.site_id = :site_id AND f.month = :month
        UNION ALL
        SELECT person_id, NULL, 0, amount_fen, 0, NULL FROM proposals WHERE settlement_id = :settlement_id
        UNION ALL
        SELECT person_id, person_name, 0, 0, amount_fen, case_number FROM fines WHERE settlement_id = :settlement_id
    )
    SELECT parts.person_id, coalesce(max(people.name), max(parts.name)) AS name,
           sum(share_fen) AS share_fen, sum(reward_fen) AS reward_fen, sum(fine_fen) AS fine_fen,
           coalesce(array_agg(case_number ORDER BY case_number) FILTER (WHERE case_number IS NOT NULL),
                    CAST('{}' AS text[])) AS case_numbers
    FROM parts LEFT JOIN people ON people.id = parts.person_id
    GROUP BY parts.person_id ORDER BY parts.person_id
""")


def compute(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Settlement:
    """Finance computes what each person gets: shares, rewards and fines, the sums of rows kept before [R91, R93].

    May be done again until it is approved. Fines and rewards of this or an earlier month that nobody else has
    computed become this settlement's; one that comes later waits for the next month.
    """
    settlement = _settlement_for(session, actor, site_id, month)
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.COMPUTE)
    keys = {"settlement_id": settlement.id, "site_id": site_id, "month": month}
    session.execute(_CLAIM_FINES, keys)
    session.execute(_CLAIM_REWARDS, keys)
    lines = [_line(settlement.id, person) for person in session.execute(_PEOPLE, keys)]
    session.execute(delete(SettlementLine).where(SettlementLine.settlement_id == settlement.id))
    if lines:
        session.execute(insert(SettlementLine), lines)
    totals = session.execute(_TOTALS, keys).one()
    settlement.received_fen, settlement.company_fen = int(totals.received_fen), int(totals.company_fen)
    settlement.workers_fen, settlement.reserve_fen = int(totals.workers_fen), int(totals.reserve_fen)
    settlement.rewards_fen = sum(line["reward_fen"] for line in lines)
    settlement.fines_from_bonus_fen = sum(line["from_bonus_fen"] for line in lines)
    settlement.from_wage_fen = sum(line["from_wage_fen"] for line in lines)
    settlement.net_fen = sum(line["net_fen"] for line in lines)
    settlement.drafted_by, settlement.drafted_at = actor.person_id, now
    return settlement


def _line(settlement_id: UUID, person: Row[Any]) -> dict[str, Any]:
    """One person's row: his sums of the month, and where his fines come from."""
    sums = {column: int(getattr(person, column)) for column in ("share_fen", "reward_fen", "fine_fen")}
    deduction = deduct(bonus_fen=sums["share_fen"] + sums["reward_fen"], fine_fen=sums["fine_fen"])
    return {
        "settlement_id": settlement_id,
        "person_id": person.person_id,
        "name": person.name,
        "case_numbers": person.case_numbers,
        **sums,
        **asdict(deduction),
    }


_SETTLE_FINES = text("UPDATE fines SET settled_at = :now WHERE settlement_id = :settlement_id")
_SETTLE_REWARDS = text("UPDATE proposals SET settled_at = :now WHERE settlement_id = :settlement_id")


def approve(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Settlement:
    """The leader in charge approves the lines as computed: posted, and sent to HR to be paid to each person [R92]."""
    settlement = _settlement_for(session, actor, site_id, month)
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.APPROVE)
    check_four_eyes(settlement.drafted_by, actor.person_id, rule="R92")
    settlement.approved_by, settlement.approved_at = actor.person_id, now
    session.execute(_SETTLE_FINES, {"settlement_id": settlement.id, "now": now})
    session.execute(_SETTLE_REWARDS, {"settlement_id": settlement.id, "now": now})
    lines = payout_lines(session, settlement.id)
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
        ours=(len(payout_lines(session, settlement.id)), settlement.net_fen),
        theirs=(message.line_count, message.net_fen),
    )
    settlement.hr_received_at = message.received_at
