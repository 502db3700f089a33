"""No text of anybody is calculated by a spreadsheet (ASVS 1.2.10), and no workbook hurts the importer (5.2.1-5.2.3)."""

import csv
import json
import re
import zipfile
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from bianmin.month.result import write_files
from services.hr.rules import payout_file
from services.hr.rules.delivery import LINE_FIELDS, SCHEMA
from shared.spreadsheets import as_csv, as_xlsx, defused
from shared.table_files import NotATable, read_table

PREFIXES = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\u200b=", "\u3000＝", "﹦"]
"""What a formula may begin with, told apart by the spreadsheets or not."""

AT = datetime.fromisoformat("2026-04-01T02:00:00Z")


def payload(words: str) -> dict[str, Any]:
    """A delivery with these words in every field of a line and of the file that is a text."""
    line: dict[str, Any] = {field: -7 if field.endswith("_fen") else words for field in LINE_FIELDS}
    line["case_numbers"] = [words, words]
    totals = {"lines": 1, "net_fen": -7, "from_wage_fen": 0}
    site = {"schema": SCHEMA, "sequence": 1, "settlement_id": words, "site_code": words, "month": "2026-03"}
    return {**site, "totals": totals, "lines": [line]}


def texts_of(sheet: bytes) -> set[str]:
    """The types of every cell of a sheet: s is a text, n or none a number."""
    return set(re.findall(r'<c r="[A-Z]+\d+"(?: s="\d+")?(?: t="(\w+)")?', sheet.decode()))


def check_csv(raw: bytes) -> list[list[str]]:
    rows = list(csv.reader(StringIO(raw.decode("utf-8-sig"), newline="")))
    for cell in (cell for row in rows for cell in row if not re.fullmatch(r"-?\d+", cell)):
        assert not re.match(r"[\s\u200b\ufeff\u3000]*[=+\-@＝＋－＠﹦]|[\t\r\n]", cell), repr(cell)
    return rows


@pytest.mark.parametrize("prefix", PREFIXES, ids=json.dumps)
def test_no_text_of_any_export_is_a_formula(prefix: str, tmp_path: Path) -> None:
    words = f'{prefix}HYPERLINK("http://x")'
    _, row = check_csv(payout_file.as_csv(payload(words)))
    assert row[LINE_FIELDS.index("net_fen")] == "-7", "a number stays a number"
    assert row[LINE_FIELDS.index("name")] == f"'{words}"
    with zipfile.ZipFile(BytesIO(payout_file.as_xlsx(payload(words), made_at=AT))) as packed:
        for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
            sheet = packed.read(name)
            assert b"<f" not in sheet, "no cell is a formula"
            assert texts_of(sheet) == {"s", ""}, "texts are texts, numbers numbers"
        assert not any("externalLink" in name or "_rels/sheet" in name for name in packed.namelist())
    write_files({"people": [{"name": words, "reason": words, "net_fen": -7}]}, tmp_path)
    assert check_csv((tmp_path / "people.csv").read_bytes())[1] == [f"'{words}", f"'{words}", "-7"]


def test_what_cannot_be_a_formula_is_left_as_it_is() -> None:
    for cell in ("李雷", "a=b", "'=1", "", " ", "1-2", -5, 1.5, None, True):
        assert defused(cell) == cell


def test_a_workbook_holds_texts_numbers_truths_and_nothing() -> None:
    book = CalamineWorkbook.from_filelike(BytesIO(as_xlsx({"a": [["x", 1, True, None, "=1"]]}, made_at=AT)))
    assert book.get_sheet_by_name("a").to_python() == [["x", 1.0, True, "", "=1"]]


def test_a_heading_is_defused_too() -> None:
    assert as_csv(["=a"], [[1]]).decode("utf-8-sig") == "'=a\r\n1\r\n"


def test_the_importer_takes_of_a_formula_what_it_came_to_and_calculates_none(tmp_path: Path) -> None:
    path = tmp_path / "formulas.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 0, '=WEBSERVICE("http://127.0.0.1:1/")', None, "cached")
        sheet.write_string(1, 1, "=1+1")
    (row,) = read_table(path)
    assert row.cells == {"a": "cached", "b": "=1+1"}


def test_a_csv_file_with_an_endless_cell_or_line_is_refused(tmp_path: Path) -> None:
    for raw in (b"a,b\n" + b"x" * 200_000 + b",1\n", b'a,b\n"' + b"x" * 5_000_000):
        path = tmp_path / "endless.csv"
        path.write_bytes(raw)
        with pytest.raises(NotATable, match="is no CSV"):
            read_table(path)


def test_a_workbook_within_a_workbook_and_entities_that_multiply_are_refused_or_read_as_text(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY a{n} "' + 10 * f"&a{n - 1};" + '">' for n in range(1, 10))
    cell = '<row r="1"><c r="A1" t="str"><v>&a9;</v></c></row>'
    sheet = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><worksheet><sheetData>{cell}</sheetData></worksheet>'
    path = tmp_path / "laughs.xlsx"
    with Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, ["a", "b"])
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, raw in (parts | {"xl/worksheets/sheet1.xml": sheet.encode()}).items():
            packed.writestr(name, raw)
    with pytest.raises(NotATable):
        read_table(path)
