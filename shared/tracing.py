"""Work and the traces it belongs to: in the logs always, as OpenTelemetry spans where somebody collects them.

With OTEL_EXPORTER_OTLP_ENDPOINT a request, each of its statements, each message on its way and the work it causes in
another service are spans of one trace, sent by OTLP over HTTP. Without it nothing of that is imported, and a piece of
work is what its log lines have in common.

A span says no more than a log line may: names of ours, the text of a statement without its values, and of a failure its
type alone.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from shared.log import begin_trace

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer
    from sqlalchemy import Engine

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
LONGEST_STATEMENT = 2000

Kind = Literal["server", "consumer", "internal"]


def is_on() -> bool:
    """Whether somebody collects spans."""
    return any(os.environ.get(name) for name in ENDPOINTS)


@cache
def _tracer(service: str) -> "Tracer":
    """What makes the spans of a service in this process; they are sent by a thread, and at the end of the process."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "bianmin"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("bianmin")


class Work:
    """A piece of work under way: the id of its trace, and its span if there is one."""

    def __init__(self, trace: str, span: "Span | None" = None) -> None:
        self.trace = trace
        self._span = span

    def name(self, name: str, **attributes: str | int) -> None:
        """Say what it turned out to be."""
        if self._span is not None:
            self._span.update_name(name)
            self._span.set_attributes(attributes)

    def fail(self, why: str) -> None:
        """Say that it failed, by a word of ours or the type of an error, never by its message."""
        if self._span is not None:
            _fail(self._span, why)


@contextmanager
def work(name: str, *, kind: Kind, service: str, traceparent: str = "", **values: str) -> Iterator[Work]:
    """What is done within it belongs to one trace: that of `traceparent`, or one that begins here.

    Every log line has the trace's id, `service` and `values`.
    """
    if not is_on():
        yield Work(begin_trace(traceparent, service=service, **values))
        return
    from opentelemetry.trace import SpanKind

    with _tracer(service).start_as_current_span(
        name,
        context=_context(traceparent),
        kind=SpanKind[kind.upper()],
        record_exception=False,  # whose message may hold what is personal
        set_status_on_exception=False,
    ) as span:
        piece = Work(begin_trace(_traceparent(span), service=service, **values), span)
        try:
            yield piece
        except Exception as error:
            piece.fail(type(error).__name__)
            raise


class _Travels(Protocol):
    """An envelope."""

    @property
    def type(self) -> str: ...
    @property
    def receiver(self) -> str: ...
    @property
    def traceparent(self) -> str: ...


EnvelopeT = TypeVar("EnvelopeT", bound=_Travels)


@contextmanager
def sending(service: str, envelopes: Sequence[EnvelopeT]) -> Iterator[Sequence[EnvelopeT]]:
    """The envelopes as they are to travel: each a span from its publication's, which its handling follows."""
    if not is_on():
        yield envelopes
        return
    from opentelemetry.trace import SpanKind

    spans = [
        _tracer(service).start_span(
            f"send {envelope.type}",
            context=_context(envelope.traceparent),
            kind=SpanKind.PRODUCER,
            attributes={"messaging.system": "celery", "messaging.destination.name": envelope.receiver},
        )
        for envelope in envelopes
    ]
    try:
        yield [
            replace(envelope, traceparent=_traceparent(span))  # type: ignore[type-var]  # envelopes are dataclasses
            for envelope, span in zip(envelopes, spans, strict=True)
        ]
    finally:
        for span in spans:
            span.end()


def watch(engine: "Engine", service: str) -> None:
    """Make each statement of a piece of work a span; what no work asks for, as the looking of idle threads, is none."""
    if not is_on():
        return
    from opentelemetry.trace import SpanKind, get_current_span
    from sqlalchemy import event

    def before(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if context is not None and get_current_span().get_span_context().is_valid:
            context.bianmin_span = _tracer(service).start_span(
                statement.split(None, 1)[0],
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": "postgresql", "db.query.text": statement[:LONGEST_STATEMENT]},
            )

    def after(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        span = getattr(context, "bianmin_span", None)
        if span is not None:
            span.end()

    def failed(error: Any) -> None:
        span = getattr(error.execution_context, "bianmin_span", None)
        if span is not None:
            _fail(span, type(error.original_exception).__name__)
            span.end()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)


def _fail(span: "Span", why: str) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", why)
    span.set_status(StatusCode.ERROR)


def _context(traceparent: str) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, context=Context())


def _traceparent(span: "Span") -> str:
    known = span.get_span_context()
    return f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags:02x}"
