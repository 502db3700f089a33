"""The figures of each fault case, added to results/faults.json."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "results" / "faults.json"


def recorded() -> list[dict[str, Any]]:
    """Every case run since the file was last removed."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def record(**figures: Any) -> None:
    """Add the figures of a case."""
    rows = [*recorded(), figures]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", "utf-8")
