"""Tables for spreadsheets, CSV and XLSX, in which no text is ever calculated [promise 24].

A spreadsheet takes a text that begins like a formula for one, in full width too, and a formula can fetch and send.
In CSV such a text gets an apostrophe before it; in XLSX every text is written as a text. A number stays a number.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO, StringIO
from typing import TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

UTF_8 = "\ufeff"
"""What a CSV file begins with, so that a spreadsheet knows its encoding."""

Cell: TypeAlias = str | int | float | bool | None
"""What a cell may hold; None is an empty one."""

_FORMULA_STARTS = tuple("=+-@＝＋－＠﹦﹢﹣﹫")
"""What a spreadsheet may take for the beginning of a formula, in other widths too."""

_SKIPPED = " \u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"
"""What a spreadsheet may overlook before it: spaces, and letters of no width."""


def defused(cell: Cell) -> Cell:
    """A text that a spreadsheet would calculate, or that begins with a control character, gets an apostrophe before."""
    if not isinstance(cell, str):
        return cell
    begins_like_a_formula = cell.lstrip(_SKIPPED).startswith(_FORMULA_STARTS)
    return f"'{cell}" if begins_like_a_formula or (cell[:1] < " " and cell) else cell


def as_csv(headings: Sequence[str], rows: Iterable[Iterable[Cell]]) -> bytes:
    """The table in UTF-8, with the mark by which a spreadsheet knows that."""
    return (UTF_8 + csv_lines([headings]) + csv_lines(rows)).encode()


def csv_lines(rows: Iterable[Iterable[Cell]]) -> str:
    """Some lines of such a table, for one that is too long to be held at once; it begins with UTF_8."""
    text = StringIO(newline="")
    csv.writer(text).writerows([defused(cell) for cell in row] for row in rows)
    return text.getvalue()


def as_xlsx(sheets: Mapping[str, Sequence[Sequence[Cell]]], *, made_at: datetime) -> bytes:
    """The sheets by name, each with its headings as the first row; the same bytes whenever it is made."""
    file = BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": made_at.replace(tzinfo=None)})
        for name, rows in sheets.items():
            _fill(book.add_worksheet(name), rows)
    return file.getvalue()


def _fill(sheet: Worksheet, rows: Sequence[Sequence[Cell]]) -> None:
    """Every text is written as a text and every number as a number, whatever they look like."""
    for number, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell)
            elif isinstance(cell, bool):
                sheet.write_boolean(number, column, cell)
            elif cell is not None:
                sheet.write_number(number, column, cell)
