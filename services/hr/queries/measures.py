"""What hr's database tells Prometheus: payouts the company's HR system has not taken [R92]."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.metrics import gauge

_PAYOUTS = text("""
    SELECT count(*) AS payouts, coalesce(extract(epoch FROM clock_now() - min(made_at)), 0) AS oldest
    FROM deliveries d WHERE NOT EXISTS (SELECT FROM delivery_acknowledgements a WHERE a.delivery_id = d.id)
""")


def measures(session: Session) -> Iterable[Metric]:
    """Payouts made and not acknowledged, and how long the oldest has waited."""
    row = session.execute(_PAYOUTS).one()
    yield gauge("payouts_unacknowledged", "Payouts that HR's system has not taken", ())({(): row.payouts})
    yield gauge("payout_oldest_unacknowledged_seconds", "How long the oldest of them has waited", ())(
        {(): float(row.oldest)}
    )
