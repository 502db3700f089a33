"""A CSV or XLSX file as rows of text, with the row numbers a spreadsheet shows (the headings are row 1)."""

import csv
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

MAX_BYTES = 50_000_000
"""A larger file is refused before it is read: it is split, or it is no list of requests."""

MAX_UNPACKED = 300_000_000
"""What an XLSX file, which is a zip, may unpack to."""

MAX_CELLS = 20_000_000
"""The area of a sheet, empty cells counted: one word in its farthest cell would else take all memory there is."""

_FILLED_CELL = re.compile(rb"""\br=["']([A-Za-z]+)(\d+)["'](?![^>]*/>)""")
_ABSURD = re.compile(rb"""\b(?:r=["']\d{8,}|(?:uniqueC|c)ount=["']\d{9,})""")
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)


class NotATable(Exception):
    """The file cannot be read as a table at all; nothing of it was imported."""


@dataclass(frozen=True)
class Row:
    """A row: its number in the file, and its cells by normalised heading; `problem` says why it has none."""

    number: int
    cells: dict[str, str]
    problem: str = ""


class Table(list[Row]):
    """The rows of a file that are not empty, and its normalised headings."""

    def __init__(self, headings: Iterable[str], rows: Iterable[Row]) -> None:
        super().__init__(rows)
        self.headings = frozenset(headings)


def normal(heading: str) -> str:
    """'Complaint Type' and 'complaint_type' are the same column."""
    return "_".join(heading.casefold().split())


def shown(text: str) -> str:
    """What a file holds, as a message may quote it: in quotes, on one line, and short."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def read_table(path: Path) -> Table:
    """Every row below the headings; empty rows are left out. Raises NotATable."""
    return table_of(path, _read(path))


def table_of(path: Path, raw: bytes, *, max_unpacked: int = MAX_UNPACKED) -> Table:
    """The same of a file whose content is at hand; `path` is what messages call it. Raises NotATable."""
    lines = _xlsx(path, raw, max_unpacked) if raw.startswith(b"PK\x03\x04") else _csv(path, raw)
    first = next(lines, None)
    if first is None:
        raise NotATable(f"{path}: the file is empty")
    headings = [normal(cell) for cell in first[1]]
    named = [heading for heading in headings if heading]
    if len(named) < 2 or len(set(named)) < len(named):
        has = ", ".join(shown(cell) for cell in first[1][:5]) or "none"
        raise NotATable(f"{path}: row 1 must name two or more different columns, it has {has}")
    return Table(named, [_row(number, cells, headings) for number, cells in lines if any(cells)])


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotATable(f"{path}: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise NotATable(f"{path}: larger than {MAX_BYTES // 1_000_000} MB; import it in parts")
    return raw


def _row(number: int, cells: list[str], headings: list[str]) -> Row:
    """The row by its named columns; a column without a heading cannot be meant by anybody."""
    if len(cells) != len(headings):
        return Row(number, {}, f"it has {len(cells)} cells, the table has {len(headings)} columns")
    if any("\0" in cell for cell in cells):
        return Row(number, {}, "a cell holds a NUL character")
    return Row(number, {heading: cell for heading, cell in zip(headings, cells, strict=True) if heading})


def _csv(path: Path, raw: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decode(path, raw)
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise NotATable(f"{path}: row {number + 1} is no CSV: {error}") from None


def _decode(path: Path, raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):  # the latter is what Excel writes in China
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise NotATable(f"{path}: neither an XLSX file (without a password) nor text in UTF-8 or GB18030")


def _xlsx(path: Path, raw: bytes, max_unpacked: int) -> Iterator[tuple[int, list[str]]]:
    _check_size(path, raw, max_unpacked)
    try:
        sheet = CalamineWorkbook.from_filelike(BytesIO(raw)).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as error:
        raise NotATable(f"{path}: not a readable XLSX file ({error})") from None
    for number, cells in enumerate(rows, 1):
        yield number, [_text(cell) for cell in cells]


def _check_size(path: Path, raw: bytes, max_unpacked: int) -> None:
    """Raises NotATable for a zip that is damaged, no workbook, or far larger than it looks."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as packed:
            if "[Content_Types].xml" not in packed.namelist():
                raise NotATable(f"{path}: a zip file, but no XLSX workbook")
            if sum(entry.file_size for entry in packed.infolist()) > max_unpacked:
                raise NotATable(f"{path}: unpacks to more than {max_unpacked // 1_000_000} MB; import it in parts")
            area = max(_area(packed.read(entry)) for entry in packed.infolist())  # this also checks every checksum
    except _BAD_ZIP as error:
        raise NotATable(f"{path}: not a readable XLSX file ({error})") from None
    if area > MAX_CELLS:
        raise NotATable(
            f"{path}: a sheet has a cell far away from all others; delete what is below or beside the table"
        )


def _area(sheet: bytes) -> int:
    """How many cells lie between A1 and the farthest cells of a sheet that are filled. Raises ValueError."""
    if _ABSURD.search(sheet):
        raise ValueError("it counts more than it can hold")
    rows = columns = 0
    for letters, digits in _FILLED_CELL.findall(sheet):
        rows = max(rows, int(digits))
        columns = max(columns, _column(letters))
    return rows * columns


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _text(cell: object) -> str:
    """A cell as its text; whole numbers without '.0', moments in ISO 8601."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell).strip()
