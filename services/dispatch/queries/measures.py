"""What the departments' database tells Prometheus: work orders by state."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.dispatch.rules.work_order import WORK_ORDER, WorkState
from shared.metrics import gauge

_STATES = text("SELECT state, count(*) AS orders FROM work_orders WHERE state = ANY(:states) GROUP BY state")

UNDER_WAY = [state for state in WorkState if WORK_ORDER.steps_from(state)]


def measures(session: Session) -> Iterable[Metric]:
    """Work orders under way, by state."""
    found = {row.state: row.orders for row in session.execute(_STATES, {"states": [str(s) for s in UNDER_WAY]})}
    yield gauge("work_orders", "Work orders under way", ("state",))(
        {(s,): found.get(s, 0) for s in map(str, UNDER_WAY)}
    )
