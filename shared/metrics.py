"""What a service's database knows, as Prometheus reads it: bus, deadlines, what the verifier saw, and its own figures.

Every web process of a service tells the same, so one is asked. What a process counts itself: shared/measures.py.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.access import COMMON
from shared.messages import CATALOGUE
from shared.ops import BusView, bus_view
from shared.startup import clock_skew
from shared.tasks import Tasks
from shared.verification import VerificationView, last_verification
from shared.web import Edge, permissions

Figures = Callable[[Session], Iterable[Metric]]
"""What a service tells of its own business, in a bounded number of rows."""

_OUTBOX = text("""
    SELECT receiver, count(*) AS unacknowledged,
           extract(epoch FROM clock_timestamp() - min(published_at))::float8 AS oldest,
           coalesce(extract(epoch FROM clock_timestamp() - min(published_at) FILTER (WHERE sends = 0)), 0)::float8
               AS oldest_unsent
    FROM outbox WHERE acknowledged_at IS NULL GROUP BY receiver
""")


def make_metrics(tasks: Tasks, figures: Figures) -> APIRouter:
    """The routes under /ops by which a service is watched by machines, and what `bianmin verify` saw of it all."""
    may = permissions(tasks.service, COMMON)
    routes = APIRouter(prefix="/ops", tags=["operations"])

    @routes.get("/metrics", summary="The figures, as Prometheus reads them", response_class=Response)
    def metrics(edge: Annotated[Edge, may("watch")]) -> Response:
        told = [
            *_of_bus(bus_view(edge.session, tasks)),
            *_of_outbox(edge.session),
            gauge("clock_skew_seconds", "How far this machine's clock is from the database's", ("service",))(
                {(tasks.service,): clock_skew(edge.session)}
            ),
            *_of_verification(last_verification(edge.session)),
            *figures(edge.session),
        ]
        return Response(exposition(told), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/verification", summary="What `bianmin verify` saw last; null before the first time")
    def verification(edge: Annotated[Edge, may("watch")]) -> VerificationView | None:
        return last_verification(edge.session)

    return routes


def gauge(name: str, help_: str, labels: Sequence[str]) -> Callable[[dict[tuple[str, ...], float]], Metric]:
    """A gauge `bianmin_name`, to be given its value for each tuple of labels."""

    def told(values: dict[tuple[str, ...], float]) -> Metric:
        family = GaugeMetricFamily(f"bianmin_{name}", help_, labels=labels)
        for said, value in values.items():
            family.add_metric(said, value)
        return family

    return told


def exposition(told: Sequence[Metric]) -> str:
    """The figures in Prometheus's text format."""

    class Told(Collector):
        def collect(self) -> Iterable[Metric]:
            return told

    registry = CollectorRegistry()
    registry.register(Told())
    return generate_latest(registry).decode()


def _of_bus(bus: BusView) -> Iterable[Metric]:
    for name, help_, figure in (
        ("messages_published", "Messages ever said, one for each receiver", bus.published),
        ("messages_unreadable", "What came to the queue and was no message", bus.unreadable),
    ):
        counter = CounterMetricFamily(f"bianmin_{name}", help_, labels=["service"])
        counter.add_metric([bus.service], figure)
        yield counter
    yield gauge("messages_waiting", "Messages that came early and wait", ("service",))({(bus.service,): bus.waiting})
    yield gauge("messages_parked", "Messages that need an operator", ("service",))({(bus.service,): bus.parked})
    of_deadline = ("service", "kind")
    lines = {(bus.service, line.kind): line for line in bus.deadlines}
    yield gauge("deadlines_open", "Promises by a moment that have not ended", of_deadline)(
        {said: line.open for said, line in lines.items()}
    )
    yield gauge("deadlines_overdue", "Those of them that have passed without being acted on", of_deadline)(
        {said: line.overdue for said, line in lines.items()}
    )
    yield gauge("deadline_lateness_seconds", "How long ago the oldest of these passed", of_deadline)(
        {
            said: max(0.0, (bus.now - line.oldest_due).total_seconds()) if line.oldest_due else 0.0
            for said, line in lines.items()
        }
    )


def _of_outbox(session: Session) -> Iterable[Metric]:
    """Where nothing is on its way the figures are 0, and not absent."""
    service: str = session.info["service"]
    receivers = sorted({to for kind in CATALOGUE.values() if kind.sender == service for to in kind.receivers})
    rows = {row.receiver: row for row in session.execute(_OUTBOX)}

    def by_receiver(name: str) -> dict[tuple[str, ...], float]:
        return {(service, to): float(getattr(rows[to], name)) if to in rows else 0.0 for to in receivers}

    labels = ("service", "receiver")
    yield gauge("outbox_unacknowledged_messages", "Messages said and not acknowledged yet", labels)(
        by_receiver("unacknowledged")
    )
    yield gauge("outbox_oldest_unacknowledged_seconds", "Age of the oldest message not acknowledged yet", labels)(
        by_receiver("oldest")
    )
    yield gauge("outbox_oldest_unsent_seconds", "Age of the oldest message that was never put on a queue", labels)(
        by_receiver("oldest_unsent")
    )


def _of_verification(seen: VerificationView | None) -> Iterable[Metric]:
    """Without a verification its figures are absent, not zero."""
    if seen is None:
        return
    yield gauge("invariant_violations", "Rows that violate an invariant, at the last look", ("invariant",))(
        {(invariant,): count for invariant, count in seen.violations.items()}
    )
    yield gauge("verification_age_seconds", "How long ago the invariants were verified", ())({(): seen.age_seconds})
