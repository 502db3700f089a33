"""What hr and the company's HR system compare day by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.hr.queries.deliveries import DeliveryTotals, totals
from shared.people import Actor


@dataclass(frozen=True)
class ReconciledPayout:
    """A payout and its delivery (fen), with the moments at which they were received, made and acknowledged."""

    settlement_id: UUID
    sequence: int | None
    site_code: str
    month: str
    line_count: int
    net_fen: int
    from_wage_fen: int
    received_at: datetime
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    reference: str | None


@dataclass(frozen=True)
class ReconciliationView:
    """A day by the clocks of the sites: what was received, delivered and acknowledged on it, and the totals of each.

    `unacknowledged` is what the HR system has not acknowledged up to now, of all days.
    """

    day: date
    items: list[ReconciledPayout]
    received: DeliveryTotals
    delivered: DeliveryTotals
    acknowledged: DeliveryTotals
    unacknowledged: DeliveryTotals


# what was received is counted from the payouts and their lines, not from the deliveries it is compared with
_RECONCILED = text("""
    SELECT p.settlement_id, d.sequence, s.code AS site_code, p.month, l.line_count, p.net_fen, p.from_wage_fen,
           p.received_at, d.made_at AS delivered_at, a.acknowledged_at, a.reference,
           d.line_count AS delivered_lines, d.net_fen AS delivered_fen, d.from_wage_fen AS delivered_from_wage_fen,
           (p.received_at AT TIME ZONE s.zone)::date AS received_on,
           (d.made_at AT TIME ZONE s.zone)::date AS delivered_on,
           (a.acknowledged_at AT TIME ZONE s.zone)::date AS acknowledged_on
    FROM payouts p
    JOIN sites s ON s.id = p.site_id
    CROSS JOIN LATERAL (SELECT count(*) AS line_count FROM payout_lines WHERE settlement_id = p.settlement_id) l
    LEFT JOIN deliveries d ON d.id = p.settlement_id
    LEFT JOIN delivery_acknowledgements a ON a.delivery_id = p.settlement_id
    WHERE (CAST(:sites AS uuid[]) IS NULL OR p.site_id = ANY(:sites))
      AND (a.acknowledged_at IS NULL
           OR :day IN ((p.received_at AT TIME ZONE s.zone)::date, (d.made_at AT TIME ZONE s.zone)::date,
                       (a.acknowledged_at AT TIME ZONE s.zone)::date))
    ORDER BY d.sequence NULLS FIRST, p.settlement_id
""")


def reconciliation(session: Session, actor: Actor, *, day: date) -> ReconciliationView:
    """What HR's own system and hr compare day by day."""
    sites = None if actor.site_ids is None else list(actor.site_ids)
    rows = session.execute(_RECONCILED, {"sites": sites, "day": day}).all()
    of_day = [row for row in rows if day in (row.received_on, row.delivered_on, row.acknowledged_on)]
    return ReconciliationView(
        day,
        [ReconciledPayout(*row[:11]) for row in of_day],
        received=totals(row for row in rows if row.received_on == day),
        delivered=_delivered(row for row in rows if row.delivered_on == day),
        acknowledged=_delivered(row for row in rows if row.acknowledged_on == day),
        unacknowledged=totals(row for row in rows if row.acknowledged_at is None),
    )


def _delivered(rows: Iterable[Row[*tuple[Any, ...]]]) -> DeliveryTotals:
    """The totals of what was delivered, by the deliveries themselves."""
    counted = list(rows)
    return DeliveryTotals(
        len(counted),
        sum(row.delivered_lines for row in counted),
        sum(row.delivered_fen for row in counted),
        sum(row.delivered_from_wage_fen for row in counted),
    )
