"""What a process counts itself, as Prometheus reads it: its HTTP requests, the tasks it sends and handles, its work.

It is told on a port of its own (`BIANMIN_METRICS_PORT`), which only the inner network reaches, without asking the
database who asks: the figures are needed most when the database is away. What the database knows is told by
shared/metrics.py. Several web processes of one service share a port and, by `PROMETHEUS_MULTIPROC_DIR`, their counts
(docs/decisions/0016-two-kinds-of-figures.md). No label is personal, and each takes its values from a list.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from socketserver import ThreadingMixIn
from threading import Thread
from time import monotonic
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from shared.broker import AWAY, broker_fault, queue_lengths
from shared.db import SERVICES
from shared.settings import settings

log = structlog.get_logger()

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder in which the processes of one port keep their counts; emptied before they start."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
"""The route of a request that no route of ours takes: whatever path a stranger tries is the same to us."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAITS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600)

_REQUESTS = Counter(
    "bianmin_http_requests", "Requests answered; status is the class of it", ("service", "method", "route", "status")
)
_REQUEST_SECONDS = Histogram(
    "bianmin_http_request_duration_seconds",
    "From a request's coming to the beginning of its answer",
    ("service", "method", "route"),
    buckets=_SECONDS,
)
_SENT = Counter("bianmin_tasks_published", "Messages put on a queue, each time", ("service", "queue", "task"))
_SENT_AGAIN = Counter(
    "bianmin_tasks_retried", "Messages put on a queue that were put there before", ("service", "queue", "task")
)
_HANDLED = Counter(
    "bianmin_tasks_handled", "Deliveries that ended, by what became of them", ("queue", "task", "outcome")
)
_RUN_SECONDS = Histogram(
    "bianmin_task_run_seconds", "How long a message was handled", ("queue", "task"), buckets=_SECONDS
)
_WAIT_SECONDS = Histogram(
    "bianmin_task_wait_seconds",
    "From a message's being put on the queue to its handling, by the database's time",
    ("queue", "task"),
    buckets=_WAITS,
)
_COMMIT_AGE = Gauge("bianmin_worker_commit_age_seconds", "How long ago this worker ended a delivery", ("queue",))
_TICK_AGE = Gauge("bianmin_tick_age_seconds", "How long ago this worker looked at all its deadlines", ("service",))

PUT_OFF = "put_off"
"""The outcome of a delivery whose database stayed away: the message is sent again."""


def answered(service: str, method: str, route: str | None, *, status: int, seconds: float) -> None:
    """A request begins to be answered, so many seconds after it came; `route` is the template of its path."""
    method = method if method in METHODS else "other"
    route = route or NO_ROUTE
    _REQUESTS.labels(service, method, route, f"{status // 100}xx").inc()
    _REQUEST_SECONDS.labels(service, method, route).observe(seconds)


def published(service: str, queue: str, task: str, *, messages: int, again: bool) -> None:
    """So many messages were put on a queue, for the first time or again."""
    _SENT.labels(service, queue, task).inc(messages)
    if again:
        _SENT_AGAIN.labels(service, queue, task).inc(messages)


def waited(queue: str, task: str, *, seconds: float) -> None:
    """A message is about to be handled, so many seconds after it was put on the queue."""
    _WAIT_SECONDS.labels(queue, task).observe(max(0.0, seconds))


def handled(queue: str, task: str, outcome: str, *, seconds: float) -> None:
    """A delivery ended, well or not, after so many seconds."""
    _HANDLED.labels(queue, task, outcome).inc()
    _RUN_SECONDS.labels(queue, task).observe(seconds)
    if outcome != PUT_OFF:
        _happened(_COMMIT_AGE, queue)


def ticked(service: str) -> None:
    """A worker has acted on every deadline that had passed."""
    _happened(_TICK_AGE, service)


_moments: dict[tuple[Gauge, str], float] = {}


def _happened(age: Gauge, label: str) -> None:
    """The gauge tells from now on how long ago this was, by the steady clock."""
    _moments[age, label] = monotonic()
    _tell_age(age, label)


@cache
def _tell_age(age: Gauge, label: str) -> None:
    age.labels(label).set_function(lambda: monotonic() - _moments[age, label])


class Queues(Collector):
    """What a worker sees of the broker whenever it is asked: how much waits in each queue, and whether it may be used.

    Each worker tells of all queues, so that a queue is known whose worker is no more.
    """

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url

    def describe(self) -> Iterable[Metric]:
        """Nothing: to be registered asks no broker."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The figures of this moment; without an answer the broker is not up, and no queue is empty."""
        lengths = queue_lengths(self._url, SERVICES)
        yield GaugeMetricFamily("bianmin_broker_up", "Whether the broker answers this worker", lengths is not None)
        if lengths is None:
            return
        length = GaugeMetricFamily("bianmin_queue_length", "Tasks that wait in the queue", labels=["queue"])
        for queue, waiting in lengths.items():
            length.add_metric([queue], waiting)
        yield length
        try:
            fits = broker_fault(self._url) is None
        except AWAY:
            return
        yield GaugeMetricFamily("bianmin_broker_policy_ok", "Whether the broker keeps all when it is full", fits)


def begin_worker(service: str) -> None:
    """Tell this worker's figures; its ages count from now."""
    _happened(_COMMIT_AGE, service)
    _happened(_TICK_AGE, service)
    REGISTRY.register(Queues(settings().broker_url))
    serve()


class _Listener(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SharedListener(_Listener):
    """Of several processes on one port whichever the kernel chooses answers, for all of them."""

    allow_reuse_port = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: who asks comes each few seconds."""


@cache
def serve() -> Callable[[], None]:
    """Tell the figures on the port of the settings, if there is one, in a thread; returns what ends that.

    A port that is taken is an error in the log: nobody's fee waits for a figure, and the alert says who is not seen.
    """
    port, shared = settings().metrics_port, MULTIPROCESS in os.environ
    if port is None:
        return lambda: None
    registry = REGISTRY
    if shared:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    try:
        server = make_server(
            settings().metrics_host,
            port,
            make_wsgi_app(registry),
            server_class=_SharedListener if shared else _Listener,
            handler_class=_Quiet,
        )
    except OSError as error:
        log.error("metrics_port_not_opened", port=port, reason=str(error))
        return lambda: None
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()

    def end() -> None:
        server.shutdown()
        server.server_close()

    return end
