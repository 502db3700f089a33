"""What HR is sent for a settlement: each person's line with the jobs it sums up [R92]."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.finance.models import Settlement
from services.finance.queries.settlements import settlement_of
from shared.messages import PayoutLine
from shared.people import Actor

JOB_SHARES = """
    SELECT s.person_id, w.name, r.number AS receipt_number, s.share_fen
    FROM receipts r
    JOIN receipt_shares s ON s.receipt_id = r.id
    JOIN charge_workers w ON w.request_id = r.request_id AND w.person_id = s.person_id
    WHERE r.site_id = :site_id AND r.month = :month AND r.state = 'used'
    UNION ALL
    SELECT s.person_id, w.name, r.number, s.share_fen
    FROM refunds f
    JOIN refund_shares s ON s.refund_id = f.id
    JOIN receipts r ON r.id = f.receipt_id
    JOIN charge_workers w ON w.request_id = r.request_id AND w.person_id = s.person_id
    WHERE f.site_id = :site_id AND f.month = :month
"""
"""SQL: what each job of a site's month earned each person, and what each refund took back (negative) [D16].

A settlement and its payout are sums and lists of these.
"""


_PAYOUT_LINES = text(f"""
    WITH jobs AS (
        SELECT person_id, jsonb_agg(
            jsonb_build_object('receipt_number', receipt_number, 'share_fen', share_fen) ORDER BY receipt_number
        ) AS jobs
        FROM ({JOB_SHARES}) shares GROUP BY person_id
    )
    SELECT l.person_id, l.name, share_fen, reward_fen, fine_fen, from_bonus_fen, from_wage_fen, carried_fen, guard,
           net_fen, case_numbers, coalesce(jobs.jobs, '[]') AS jobs
    FROM settlement_lines l LEFT JOIN jobs USING (person_id)
    WHERE l.settlement_id = :settlement_id ORDER BY l.person_id
""")  # noqa: S608  # our own SQL


def payout_lines(session: Session, settlement: Settlement) -> list[PayoutLine]:
    """A settlement's lines as computed, each with the jobs it sums up [R92]."""
    keys = {"settlement_id": settlement.id, "site_id": settlement.site_id, "month": settlement.month}
    return [PayoutLine.model_validate(dict(line)) for line in session.execute(_PAYOUT_LINES, keys).mappings()]


def payout(session: Session, actor: Actor, *, site_id: UUID, month: str) -> list[PayoutLine]:
    """What HR is or will be sent for a site's month [R92]. Raises NotFound at a site of others."""
    return payout_lines(session, settlement_of(session, actor, site_id, month))
