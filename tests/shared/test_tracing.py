"""OpenTelemetry where somebody collects, and nothing of it where nobody does."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from bianmin.children import wait_until
from shared import tracing
from shared.db import WORKER, Database
from tests.collector import collecting

WORDS = "金丝雀女士"
ESCAPED = "".join(f"\\{byte:o}" for byte in WORDS.encode())
"""As a span that is printed has them."""


def test_where_nobody_collects_nothing_of_tracing_is_imported(template: str) -> None:
    """Of the SDK redis-py imports the metrics, wherever it is installed."""
    code = (
        "import sys; import services.finance.main, services.finance.worker;"
        "of_tracing = ('opentelemetry.sdk.trace', 'opentelemetry.exporter');"
        "print([name for name in sys.modules if name.startswith(of_tracing)])"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_of_a_failure_a_span_holds_its_type_and_none_of_its_words(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        tracing._tracer.cache_clear()
        at = Database("intake", template, pool_size=1, limits=WORKER)
        insert = text("INSERT INTO people (id, name) VALUES (gen_random_uuid(), :name)")
        with (
            pytest.raises(DatabaseError, match=WORDS),
            tracing.work("tried", kind="internal", service="intake") as piece,
            at.session() as session,
        ):
            session.execute(insert, {"name": WORDS})
        wait_until(
            "both spans", lambda: {"tried", "INSERT"} <= {one.name for one in collector.of(piece.trace)}, seconds=30
        )
        at.engine.dispose()
        tracing._tracer("intake").span_processor.shutdown()  # type: ignore[attr-defined]
        tracing._tracer.cache_clear()
    failed = {span.name: span for span in collector.of(piece.trace) if span.failed}
    assert {"tried", "INSERT"} == set(failed)
    assert "NotNullViolation" in failed["INSERT"].said
    assert failed["INSERT"].parent == failed["tried"].id
    assert not any(WORDS in span.said or ESCAPED in span.said for span in collector.spans)
