"""A payout as a file for a person or a system that reads tables: CSV or XLSX, in a fixed schema [R92-R94].

The columns are those of a delivery's lines, in the same order; docs/payout-file.md is their description.
"""

import csv
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from services.hr.rules.delivery import LINE_FIELDS, TOTAL_FIELDS

_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula, in full width too."""


def totals_of(payload: dict[str, Any]) -> dict[str, str | int]:
    """What the file belongs to and comes to: the second sheet of an XLSX file, and the companion of a CSV file."""
    named = ("schema", "sequence", "settlement_id", "site_code", "month")
    return {field: payload[field] for field in named} | {field: payload["totals"][field] for field in TOTAL_FIELDS}


def name_of(payload: dict[str, Any], ending: str) -> str:
    """The file's name: payout-BK-2026-03.csv."""
    return f"payout-{payload['site_code']}-{payload['month']}.{ending}"


def as_csv(payload: dict[str, Any]) -> bytes:
    """One line for each person, in UTF-8 with the mark by which a spreadsheet knows that."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(LINE_FIELDS)
    writer.writerows([_defused(cell) for cell in _cells(line)] for line in payload["lines"])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(payload: dict[str, Any], *, made_at: datetime) -> bytes:
    """The same lines and, on a second sheet, the totals; the same bytes whenever it is made."""
    file = BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": made_at.replace(tzinfo=None)})
        _fill(book.add_worksheet("lines"), list(LINE_FIELDS), [_cells(line) for line in payload["lines"]])
        totals = totals_of(payload)
        _fill(book.add_worksheet("totals"), list(totals), [list(totals.values())])
    return file.getvalue()


def _cells(line: dict[str, Any]) -> list[str | int]:
    return [" ".join(line[field]) if field == "case_numbers" else line[field] for field in LINE_FIELDS]


def _defused(cell: str | int) -> str | int:
    """A text a spreadsheet would calculate gets an apostrophe before it; an amount below zero is no text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def _fill(sheet: Worksheet, headings: list[str], rows: list[list[str | int]]) -> None:
    """Every text is written as a text and every number as a number, whatever they look like."""
    for number, cells in enumerate([list[str | int](headings), *rows]):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell)
            else:
                sheet.write_number(number, column, cell)
