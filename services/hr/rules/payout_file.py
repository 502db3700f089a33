"""A payout as a file for a person or a system that reads tables: CSV or XLSX, in a fixed schema [R92-R94].

The columns are those of a delivery's lines, in the same order; docs/payout-file.md is their description.
"""

from datetime import datetime
from typing import Any

from services.hr.rules.delivery import LINE_FIELDS, TOTAL_FIELDS
from shared import spreadsheets
from shared.spreadsheets import Cell


def totals_of(payload: dict[str, Any]) -> dict[str, str | int]:
    """What the file belongs to and comes to: the second sheet of an XLSX file, and the companion of a CSV file."""
    named = ("schema", "sequence", "settlement_id", "site_code", "month")
    return {field: payload[field] for field in named} | {field: payload["totals"][field] for field in TOTAL_FIELDS}


def name_of(payload: dict[str, Any], ending: str) -> str:
    """The file's name: payout-BK-2026-03.csv."""
    return f"payout-{payload['site_code']}-{payload['month']}.{ending}"


def as_csv(payload: dict[str, Any]) -> bytes:
    """One line for each person, in UTF-8 with the mark by which a spreadsheet knows that."""
    return spreadsheets.as_csv(LINE_FIELDS, map(_cells, payload["lines"]))


def as_xlsx(payload: dict[str, Any], *, made_at: datetime) -> bytes:
    """The same lines and, on a second sheet, the totals; the same bytes whenever it is made."""
    totals = totals_of(payload)
    lines = [LINE_FIELDS, *map(_cells, payload["lines"])]
    return spreadsheets.as_xlsx({"lines": lines, "totals": [[*totals], [*totals.values()]]}, made_at=made_at)


def _cells(line: dict[str, Any]) -> list[Cell]:
    return [" ".join(line[field]) if field == "case_numbers" else line[field] for field in LINE_FIELDS]
