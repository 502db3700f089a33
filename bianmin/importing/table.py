"""A CSV or XLSX file as rows of text, with the row numbers a spreadsheet shows (the headings are row 1)."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook


class NotATable(Exception):
    """The file cannot be read as a table at all; nothing of it was imported."""


@dataclass(frozen=True)
class Row:
    """A row: its number in the file, and its cells by normalised heading; `problem` says why it has none."""

    number: int
    cells: dict[str, str]
    problem: str = ""


def normal(heading: str) -> str:
    """'Complaint Type' and 'complaint_type' are the same column."""
    return "_".join(heading.casefold().split())


def read_table(path: Path) -> list[Row]:
    """Every row below the headings; empty rows are left out. Raises NotATable."""
    if not path.is_file():
        raise NotATable(f"{path}: there is no such file")
    raw = path.read_bytes()
    lines = _xlsx(path) if raw[:4] == b"PK\x03\x04" else _csv(path, raw)
    try:
        headings = [normal(cell) for cell in next(lines)[1]]
    except StopIteration:
        raise NotATable(f"{path}: the file is empty") from None
    if len(headings) < 2 or len(set(headings)) < len(headings):
        raise NotATable(f"{path}: the first row must name two or more different columns, it has {headings[:5]}")
    return [_row(number, cells, headings) for number, cells in lines if any(cells)]


def _row(number: int, cells: list[str], headings: list[str]) -> Row:
    if len(cells) != len(headings):
        return Row(number, {}, f"it has {len(cells)} cells, the table has {len(headings)} columns")
    return Row(number, dict(zip(headings, cells, strict=True)))


def _csv(path: Path, raw: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")  # what Excel writes in China
        except UnicodeDecodeError:
            raise NotATable(f"{path}: neither an XLSX file nor text in UTF-8 or GB18030") from None
    if "\0" in text:
        raise NotATable(f"{path}: neither an XLSX file nor text")
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise NotATable(f"{path}: row {number + 1} is no CSV: {error}") from None


def _xlsx(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise NotATable(f"{path}: not a readable XLSX file ({error})") from None
    for number, cells in enumerate(rows, 1):
        yield number, [_text(cell) for cell in cells]


def _text(cell: object) -> str:
    """A cell as its text; whole numbers without '.0', moments in ISO 8601."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell).strip()
