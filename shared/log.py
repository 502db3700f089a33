"""Structured logs: one JSON line per event, a static event name, values as keywords, the trace id in each."""

import logging
import re
import secrets
import sys
import traceback
from contextvars import ContextVar
from typing import Any, Literal

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

NOISY = ("celery", "kombu", "amqp", "uvicorn.access", "httpx", "alembic")


def _without_words(exc_info: Any) -> str:
    """What failed and where: types, lines of our code, and of a database's refusal its code and constraint.

    Never the words of an error: a database quotes the row it refuses, others the value they cannot read.
    """
    lines: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        said = getattr(error, "diag", None)
        named = (type(error).__qualname__, getattr(said, "sqlstate", None), getattr(said, "constraint_name", None))
        lines += [*traceback.format_tb(error.__traceback__), " ".join(filter(None, named)) + "\n"]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(lines)


def configure_logging(*, level: str, fmt: Literal["json", "console"]) -> None:
    """Send structlog and the standard library's logs through one renderer to stderr."""
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.EventRenamer("event"),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if fmt == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_without_words),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


_current: ContextVar[str] = ContextVar("traceparent", default="")
_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")


def new_traceparent() -> str:
    """The W3C traceparent of a trace that begins here."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_of(traceparent: str) -> str:
    """The trace id of a traceparent: its 32 hexadecimal digits."""
    return traceparent[3:35]


def begin_trace(traceparent: str = "", **values: str) -> str:
    """Every log line of this request, task or sweep from here on carries the trace id and `values`; returns the id.

    What is no W3C traceparent (version 00) begins a trace of its own.
    """
    if not _TRACEPARENT.match(traceparent):
        traceparent = new_traceparent()
    _current.set(traceparent)
    clear_contextvars()
    bind_contextvars(trace=trace_of(traceparent), **values)
    return trace_of(traceparent)


def current_traceparent() -> str:
    """The traceparent of the work under way; a new one where nothing was begun."""
    return _current.get() or new_traceparent()
