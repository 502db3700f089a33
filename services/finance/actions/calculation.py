"""What a site's month comes to: shares, rewards and fines summed up for each person [R91-R94]; nothing is stored."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.finance.models import Settlement
from services.finance.queries import JOB_SHARES
from services.finance.rules.deduction import GuardPolicy, deduct
from shared.policy_rows import in_force

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
    lines = [_line(person, guard) for person in session.execute(_PEOPLE, keys | {"tried": tried})]
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
