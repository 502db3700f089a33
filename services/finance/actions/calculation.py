"""What a site's month comes to: shares, rewards and fines summed up for each person [R91-R94]."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.finance.actions.settlement import settlement_for
from services.finance.models import Settlement, SettlementLine
from services.finance.queries.payouts import JOB_SHARES
from services.finance.queries.settlements import SettlementLineView, SettlementView, settlement_of, settlement_view
from services.finance.rules.deduction import GuardPolicy, deduct
from services.finance.rules.reopening import LOCKED
from services.finance.rules.settlement import SETTLEMENT, SettlementStep
from shared.people import Actor
from shared.policy_rows import in_force
from shared.walls import across_sites

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

# what this settlement has claimed; tried out, also what it would claim
_OURS = "(settlement_id = :settlement_id OR :tried AND settlement_id IS NULL AND site_id = :site_id"

_PEOPLE = text(f"""
    WITH fined AS (
        SELECT person_id, person_name AS name, amount_fen, ARRAY[case_number] AS case_numbers
        FROM fines WHERE {_OURS} AND month <= :month)
        UNION ALL
        SELECT person_id, name, amount_fen, case_numbers FROM carryovers
        WHERE kind = 'fine' AND {_OURS} AND month < :month)
    ), parts AS (
        SELECT person_id, name, share_fen, 0 AS brought_fen, 0 AS reward_fen, 0 AS fine_fen, NULL AS case_number
        FROM ({JOB_SHARES}) jobs
        UNION ALL
        SELECT person_id, NULL, 0, 0, amount_fen, 0, NULL FROM proposals
        WHERE use = 'reward' AND state = 'approved' AND {_OURS} AND month <= :month)
        UNION ALL
        SELECT person_id, name, 0, amount_fen, 0, 0, NULL FROM carryovers
        WHERE kind = 'share' AND {_OURS} AND month < :month)
        UNION ALL
        SELECT person_id, name, 0, 0, 0, amount_fen, NULL FROM fined
        UNION ALL
        SELECT person_id, name, 0, 0, 0, 0, unnest(case_numbers) FROM fined
    ), sums AS (
        SELECT person_id, max(name) AS name, sum(share_fen) AS share_fen, sum(brought_fen) AS brought_fen,
               sum(reward_fen) AS reward_fen, sum(fine_fen) AS fine_fen,
               coalesce(array_agg(DISTINCT case_number) FILTER (WHERE case_number IS NOT NULL),
                        CAST('{{}}' AS text[])) AS case_numbers
        FROM parts GROUP BY person_id
    )
    SELECT sums.person_id, coalesce(people.name, sums.name) AS name, share_fen, brought_fen, reward_fen, fine_fen,
           case_numbers, wages.monthly_wage_fen AS wage_fen,
           (SELECT coalesce(sum(l.from_wage_fen), 0) FROM settlements s
            JOIN settlement_lines l ON l.settlement_id = s.id AND l.person_id = sums.person_id
            WHERE s.month = :month AND s.id <> :settlement_id) AS borne_fen
    FROM sums
    LEFT JOIN people ON people.id = sums.person_id
    LEFT JOIN wages ON wages.person_id = sums.person_id
    ORDER BY sums.person_id
""")  # noqa: S608  # our own SQL


@dataclass(frozen=True)
class Calculation:
    """The month's totals and its lines, by column."""

    totals: dict[str, int]
    lines: list[dict[str, Any]]


def calculate(session: Session, settlement: Settlement, *, tried: bool) -> Calculation:
    """Sum up a month for each person and take his fines as the guard of its end allows [R91, R93, D22].

    Tried out, it counts the fines, rewards and carryovers that computing would claim now.
    """
    keys = {"settlement_id": settlement.id, "site_id": settlement.site_id, "month": settlement.month}
    guard = in_force(session, GuardPolicy, site_id=settlement.site_id, at=settlement.closes_at)
    with across_sites(session):  # what his wage bears of fines of other sites counts
        people = session.execute(_PEOPLE, keys | {"tried": tried}).all()
    lines = [_line(person, guard) for person in people]
    totals = {column: int(sum_) for column, sum_ in session.execute(_TOTALS, keys).mappings().one().items()}
    for total, column in _SUMMED.items():
        totals[total] = sum(line[column] for line in lines)
    return Calculation(totals, lines)


_SUMMED = {
    "rewards_fen": "reward_fen",
    "fines_from_bonus_fen": "from_bonus_fen",
    "from_wage_fen": "from_wage_fen",
    "carried_fen": "carried_fen",
    "brought_fen": "brought_fen",
    "share_carried_fen": "share_carried_fen",
    "net_fen": "net_fen",
}
"""Totals of a settlement that are sums of its lines, with the column they sum."""

SUMS = ("received_fen", "company_fen", "workers_fen", "reserve_fen", *_SUMMED)
"""Every total of a settlement."""


def _line(person: Row[Any], guard: GuardPolicy) -> dict[str, Any]:
    """One person's line: his sums of the month, and where his fines come from."""
    share, brought, reward, fine = (
        int(getattr(person, column)) for column in ("share_fen", "brought_fen", "reward_fen", "fine_fen")
    )
    deduction = deduct(
        bonus_fen=share - brought + reward,
        fine_fen=fine,
        wage_fen=person.wage_fen,
        borne_fen=int(person.borne_fen),
        policy=guard,
    )
    return {
        "person_id": person.person_id,
        "name": person.name,
        "share_fen": share - brought + deduction.share_carried_fen,
        "brought_fen": brought,
        "reward_fen": reward,
        "fine_fen": fine,
        "case_numbers": person.case_numbers,
        **asdict(deduction),
    }


_CLAIMS = [
    text("""
        UPDATE fines SET settlement_id = :settlement_id
        WHERE site_id = :site_id AND month <= :month AND settlement_id IS NULL
    """),
    text("""
        UPDATE proposals SET settlement_id = :settlement_id
        WHERE site_id = :site_id AND month <= :month AND settlement_id IS NULL AND use = 'reward' AND state = 'approved'
    """),
    text("""
        UPDATE carryovers SET settlement_id = :settlement_id
        WHERE site_id = :site_id AND month < :month AND settlement_id IS NULL
    """),
]

# one wage may bear fines of two sites: whoever computes at the same time waits, then counts what the other took
_LOCK_WAGES = text("""
    SELECT FROM wages WHERE person_id IN (
        SELECT person_id FROM fines WHERE settlement_id = :settlement_id
        UNION ALL SELECT person_id FROM carryovers WHERE settlement_id = :settlement_id)
    ORDER BY person_id FOR UPDATE
""")


def compute(session: Session, *, site_id: UUID, month: str, actor: Actor, now: datetime) -> Settlement:
    """Finance computes what each person gets: shares, rewards and fines, the sums of rows kept before [R91, R93].

    May be done again until it is approved. Fines, rewards and carryovers of this or an earlier month that nobody
    else has computed become this settlement's; one that comes later waits for the next month.
    """
    settlement = settlement_for(session, actor, site_id, month)
    settlement.state = SETTLEMENT.move(settlement.state, SettlementStep.COMPUTE)
    keys = {"settlement_id": settlement.id, "site_id": site_id, "month": month}
    for claim in _CLAIMS:
        session.execute(claim, keys)
    session.execute(_LOCK_WAGES, keys)
    computed = calculate(session, settlement, tried=False)
    session.execute(delete(SettlementLine).where(SettlementLine.settlement_id == settlement.id))
    if computed.lines:
        session.execute(insert(SettlementLine), [{"settlement_id": settlement.id, **line} for line in computed.lines])
    for column, fen in computed.totals.items():
        setattr(settlement, column, fen)
    settlement.drafted_by, settlement.drafted_at = actor.person_id, now
    return settlement


def try_out(session: Session, *, site_id: UUID, month: str, actor: Actor) -> SettlementView:
    """What computing would give now, at any time and storing nothing; state and signatures are the real ones."""
    settlement = settlement_of(session, actor, site_id, month)
    view = settlement_view(settlement)
    if settlement.state in LOCKED:
        return view
    computed = calculate(session, settlement, tried=True)
    sums: dict[str, Any] = {**computed.totals, "lines": [SettlementLineView(**line) for line in computed.lines]}
    return replace(view, **sums)
