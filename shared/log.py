"""Structured logs: one JSON line per event, a static event name, values as keywords, the trace id in each."""

import logging
import secrets
import sys
from typing import Literal

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

NOISY = ("celery", "kombu", "amqp", "uvicorn.access", "httpx", "alembic")


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
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def new_trace() -> str:
    """A new W3C trace id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def begin_trace(trace: str, **values: str) -> None:
    """Every log line of this request or task from here on carries `trace` and `values`."""
    clear_contextvars()
    bind_contextvars(trace=trace, **values)


def current_trace() -> str:
    """The trace id of the work under way; a new one where nothing was begun."""
    return str(get_contextvars().get("trace") or new_trace())
