"""A service's figures as Prometheus reads them: its bus, its deadlines, and what the verifier saw last."""

from typing import Annotated

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from shared.access import COMMON
from shared.ops import BusView, bus_view
from shared.tasks import Tasks
from shared.verification import VerificationView, last_verification
from shared.web import Edge, permissions


def make_metrics(tasks: Tasks) -> APIRouter:
    """The routes under /ops by which a service is watched by machines, and what `bianmin verify` saw of it all."""
    may = permissions(tasks.service, COMMON)
    routes = APIRouter(prefix="/ops", tags=["operations"])

    @routes.get("/metrics", summary="The figures, as Prometheus reads them", response_class=Response)
    def metrics(edge: Annotated[Edge, may("watch")]) -> Response:
        told = exposition(bus_view(edge.session, tasks), last_verification(edge.session))
        return Response(told, media_type=CONTENT_TYPE_LATEST)

    @routes.get("/verification", summary="What `bianmin verify` saw last; null before the first time")
    def verification(edge: Annotated[Edge, may("watch")]) -> VerificationView | None:
        return last_verification(edge.session)

    return routes


def exposition(bus: BusView, verification: VerificationView | None) -> str:
    """The figures in Prometheus's text format; without a verification its figures are absent, not zero."""
    registry = CollectorRegistry()
    of_service, of_deadline = ("service",), ("service", "kind")

    def gauge(name: str, help_: str, labels: tuple[str, ...] = of_service) -> Gauge:
        return Gauge(f"bianmin_{name}", help_, labels, registry=registry)

    for name, help_, figure in (
        ("published_messages", "Messages ever sent, one for each receiver", bus.published),
        ("unacknowledged_messages", "Messages sent and not acknowledged yet", bus.unacknowledged),
        (
            "oldest_unacknowledged_seconds",
            "Age of the oldest unacknowledged message",
            bus.oldest_unacknowledged_seconds,
        ),
        ("waiting_messages", "Messages that came early and wait", bus.waiting),
        ("parked_messages", "Messages that need an operator", bus.parked),
        ("unreadable_messages", "What came to the queue and was no message", bus.unreadable),
    ):
        gauge(name, help_).labels(bus.service).set(figure)
    open_ = gauge("deadlines_open", "Promises by a moment that have not ended", of_deadline)
    overdue = gauge("deadlines_overdue", "Those of them that have passed without being acted on", of_deadline)
    late = gauge("deadline_lateness_seconds", "How long ago the oldest of these passed", of_deadline)
    for line in bus.deadlines:
        open_.labels(bus.service, line.kind).set(line.open)
        overdue.labels(bus.service, line.kind).set(line.overdue)
        lateness = (bus.now - line.oldest_due).total_seconds() if line.oldest_due else 0
        late.labels(bus.service, line.kind).set(max(0, lateness))
    if verification:
        violations = gauge("invariant_violations", "Rows that violate an invariant, at the last look", ("invariant",))
        for invariant, count in verification.violations.items():
            violations.labels(invariant).set(count)
        gauge("verification_age_seconds", "How long ago the invariants were verified", ()).set(verification.age_seconds)
    return generate_latest(registry).decode()
