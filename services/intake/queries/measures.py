"""What the desk's database tells Prometheus: callbacks kept and missed, and jobs by state [R48]."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.intake.rules.request import REQUEST, RequestState
from shared.metrics import gauge

# of each site, whether anything was recorded there or not: a figure that is missing says that nobody looks
_CALLBACKS = text("""
    SELECT s.code, r.kept, r.missed
    FROM sites s CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE reached_at <= callback_due_at) AS kept,
               count(*) FILTER (WHERE callback_missed) AS missed
        FROM requests
        WHERE site_id = s.id AND recorded_at > clock_now() - interval '1 day' AND callback_due_at IS NOT NULL
    ) r
""")
_STATES = text("SELECT state, count(*) AS requests FROM requests WHERE state = ANY(:states) GROUP BY state")

UNDER_WAY = [state for state in RequestState if REQUEST.steps_from(state)]


def measures(session: Session) -> Iterable[Metric]:
    """Callbacks of the last day, by site; requests under way, by state."""
    kept_and_missed: dict[tuple[str, ...], float] = {
        (row.code, result): getattr(row, result) for row in session.execute(_CALLBACKS) for result in ("kept", "missed")
    }
    yield gauge("callbacks_last_day", "Callbacks owed for requests recorded within a day", ("site", "result"))(
        kept_and_missed
    )
    found = {row.state: row.requests for row in session.execute(_STATES, {"states": [str(s) for s in UNDER_WAY]})}
    yield gauge("requests", "Requests under way", ("state",))({(s,): found.get(s, 0) for s in map(str, UNDER_WAY)})
