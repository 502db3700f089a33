"""Reading tables and mappings: whatever a file holds, it is read rightly or refused with the reason."""

import zipfile
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bianmin.importing.mapping import BadMapping, BadRow, Mapping, read_mapping
from bianmin.importing.sending import map_rows, open_table
from shared import table_files as table
from shared.table_files import NotATable, Row, normal, read_table

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NYC311 = read_mapping(EXAMPLES / "nyc311.toml")
GOOD = """
source = "phone-book"
zone = "Asia/Shanghai"
moments = ["%Y-%m-%d %H:%M"]

[fields]
source_key = "{key}"
asked_at = "{asked}"
owner_name = "{name}"
phone = "{phone}"
address = "{building}-{room}"
description = "{what}"

[site]
column = "site"
values = { East = "E" }

[channel]
column = "how"
values = { call = "phone" }
otherwise = "online"

[[trade]]
when = { what = "tap" }
trade = "water"
"""
CELLS = {
    "key": "1", "asked": "2024-04-16 01:00", "name": "李", "phone": "13800001111", "building": "3", "room": "502",
    "what": "Tap", "site": "EAST", "how": "CALL",
}  # fmt: skip


def written(path: Path, raw: str | bytes) -> Path:
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return path


def rows_of(path: Path, raw: str | bytes) -> list[Row]:
    return list(read_table(written(path, raw)))


def mapping_of(path: Path, text: str) -> Mapping:
    return read_mapping(written(path, text))


def workbook(*rows: list[Any], far: tuple[int, int] | None = None) -> bytes:
    """An XLSX file of these rows from row 1 on; `far` is the place of one more word."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(number, column, cell)
        if far:
            sheet.write(*far, "x")
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, raw in files.items():
            packed.writestr(name, raw)
    return out.getvalue()


def edited(book: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The XLSX file with something else written in one of its parts."""
    with zipfile.ZipFile(BytesIO(book)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert old in parts[part]
    return zipped(**parts | {part: parts[part].replace(old, new)})


# --- tables ----------------------------------------------------------------------------------------------------------


def test_a_row_has_the_number_a_spreadsheet_shows_whatever_its_cells_and_neighbours(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "t.csv", 'A,B\r\n"one\r\ntwo\nthree",x\r\n\r\n , \r\n4,"say ""hi"", you"\r\n')
    assert rows == [Row(2, {"a": "one\r\ntwo\nthree", "b": "x"}), Row(5, {"a": "4", "b": 'say "hi", you'})]


def test_an_xlsx_row_has_the_number_a_spreadsheet_shows(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "t.xlsx", workbook(["A", "B"], ["one\ntwo", 1], [], [None, " "], [4, 5]))
    assert rows == [Row(2, {"a": "one\ntwo", "b": "1"}), Row(5, {"a": "4", "b": "5"})]


def test_a_file_is_read_for_what_it_is_and_not_for_its_name(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "t.csv", workbook(["a", "b"], ["1", "2"])) == [Row(2, {"a": "1", "b": "2"})]
    assert rows_of(tmp_path / "t.xlsx", "a,b\n1,2\n") == [Row(2, {"a": "1", "b": "2"})]


def test_numbers_moments_and_truths_of_a_spreadsheet_are_read_as_it_shows_them(tmp_path: Path) -> None:
    cells = [13800001111, 0.5, True, datetime.fromisoformat("2024-04-16T03:03:15"), date(2024, 4, 16)]
    (row,) = rows_of(tmp_path / "t.xlsx", workbook(list("abcde"), cells))
    assert list(row.cells.values()) == ["13800001111", "0.5", "True", "2024-04-16T03:03:15", "2024-04-16"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_in_utf_8_and_gb18030_is_read_with_or_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    text = "姓名,地址\n李,和平路 12 号\n"
    for begin in ("", "\ufeff" if encoding == "gb18030" else ""):
        (row,) = rows_of(tmp_path / "t.csv", (begin + text).encode(encoding))
        assert row.cells == {"姓名": "李", "地址": "和平路 12 号"}


def test_a_row_with_too_few_or_too_many_cells_says_so_and_has_none(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "t.csv", "a,b\n1\n1,2,3\n1,2\n")
    assert [row.problem for row in rows] == [
        "it has 1 cells, the table has 2 columns",
        "it has 3 cells, the table has 2 columns",
        "",
    ]


def test_columns_without_a_heading_are_left_out(tmp_path: Path) -> None:
    read = read_table(written(tmp_path / "t.csv", "a,,b,\n1,2,3,\n"))
    assert (list(read), read.headings) == ([Row(2, {"a": "1", "b": "3"})], {"a", "b"})


@pytest.mark.parametrize(
    ("heading", "column"),
    [("Complaint Type", "complaint_type"), (" COMPLAINT\u00a0 type\n", "complaint_type"), ("联系 电话", "联系_电话")],
)
def test_headings_are_compared_without_regard_to_capitals_and_spaces(heading: str, column: str) -> None:
    assert normal(heading) == column


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
OLD_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100
BOOK = workbook(["a", "b"], ["1", "2"])
PIECES = ["<c ", '<row r="2">', "</c>", "<v>", "</v>", 'r="A2" ', 'r="XFD1048576" ', 't="s"', ">", "/>", "1", "é"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\n\n", "row 1 must name two or more different columns, it has none"),
        (b"a\n1\n2\n", "two or more different columns"),
        (b"a;b\n1;2\n", "two or more different columns, it has 'a;b'"),
        (b"a,A \n1,2\n", "two or more different columns"),
        (b"a,b\n1,\0\n", "neither an XLSX file"),
        ("a,b\n1,2\n".encode("utf-16"), "neither an XLSX file"),
        (b'a,b\n1,2\n"3,4\n', "row 3 is no CSV"),
        (b'a,b\n"1"x,2\n', "row 2 is no CSV"),
        (b"a,b\n1," + b"x" * 200_000, "row 2 is no CSV"),
        (PNG, "neither an XLSX file"),
        (PDF, "two or more different columns"),
        (OLD_XLS, "neither an XLSX file"),
        (b"PK\x03\x04 and no more", "not a readable XLSX file"),
        (BOOK[: len(BOOK) // 2], "not a readable XLSX file"),
        (zipped(readme=b"hello"), "a zip file, but no XLSX workbook"),
        (zipped(**{"[Content_Types].xml": b"<Types/>"}), "not a readable XLSX file"),
        (workbook(), "the file is empty"),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_what_is_no_table_is_told_in_one_line(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = written(tmp_path / "t.csv", raw)
    with pytest.raises(NotATable) as told:
        read_table(path)
    assert reason in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


def test_a_file_that_is_missing_or_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(NotATable, match="No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(NotATable, match="directory"):
        read_table(tmp_path)


def test_a_file_of_more_than_50_mb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        file.truncate(table.MAX_BYTES + 1)
    with pytest.raises(NotATable, match="larger than 50 MB"):
        read_table(path)


def test_a_small_zip_that_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    bomb = zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": bytes(table.MAX_UNPACKED + 1)})
    assert len(bomb) < 1_000_000
    with pytest.raises(NotATable, match="unpacks to more than 300 MB"):
        read_table(written(tmp_path / "bomb.xlsx", bomb))


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    bomb = zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": bytes(1_000_000)})
    lying = bomb.replace((1_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(NotATable, match="not a readable XLSX file"):
        read_table(written(tmp_path / "bomb.xlsx", lying))


def test_one_word_in_the_farthest_cell_of_a_sheet_is_refused_and_does_not_take_all_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "far.xlsx", workbook(["a", "b"], [1, 2], far=(1_048_575, 16_383)))
    with pytest.raises(NotATable, match="a cell far away from all others"):
        read_table(path)


def test_a_workbook_that_counts_more_than_it_can_hold_is_refused(tmp_path: Path) -> None:
    for part, old, new in (
        ("xl/sharedStrings.xml", b'count="4"', b'count="99999999999"'),
        ("xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="4000000000"'),
    ):
        with pytest.raises(NotATable, match="counts more than it can hold"):
            read_table(written(tmp_path / "t.xlsx", edited(BOOK, part, old, new)))


def test_a_row_with_a_nul_character_in_a_spreadsheet_says_so_and_the_others_are_read(tmp_path: Path) -> None:
    book = workbook(["a", "b"], ["1", "NIL"], ["2", "x"])
    rows = rows_of(tmp_path / "t.xlsx", edited(book, "xl/sharedStrings.xml", b"NIL", b"_x0000_"))
    assert rows == [Row(2, {}, "a cell holds a NUL character"), Row(3, {"a": "2", "b": "x"})]


def test_a_word_beside_the_table_is_left_out(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "t.xlsx", workbook(["a", "b"], [1, 2], far=(1, 30))) == [Row(2, {"a": "1", "b": "2"})]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200) | st.text(alphabet='a,"\r\n;\t\0é你\ufeff', max_size=60).map(str.encode))
def test_any_bytes_are_rows_or_no_table_and_nothing_else(tmp_path: Path, raw: bytes) -> None:
    assert_rows_or_no_table(written(tmp_path / "t", raw))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(4, len(BOOK) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_xlsx_is_rows_or_no_table_and_nothing_else(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    raw = bytearray(BOOK)
    for place, value in changes:
        raw[place] = value
    assert_rows_or_no_table(written(tmp_path / "t", bytes(raw)))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sheet=st.lists(st.sampled_from(PIECES)).map("".join))
def test_a_workbook_with_any_sheet_is_rows_or_no_table_and_nothing_else(tmp_path: Path, sheet: str) -> None:
    raw = edited(BOOK, "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>" + sheet.encode())
    assert_rows_or_no_table(written(tmp_path / "t", raw))


def assert_rows_or_no_table(path: Path) -> None:
    try:
        rows = read_table(path)
    except NotATable:
        return
    assert all(row.problem or set(row.cells) == rows.headings for row in rows)
    assert [row.number for row in rows] == sorted({row.number for row in rows})


# --- mappings --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Mapping:
    return mapping_of(tmp_path_factory.mktemp("mapping") / "good.toml", GOOD)


def test_a_row_becomes_a_request(good: Mapping) -> None:
    mapped = good.apply(Row(7, CELLS))
    assert (mapped.number, mapped.site_code) == (7, "E")
    assert mapped.fields == {
        "source_key": "1", "asked_at": "2024-04-16T01:00:00+08:00", "owner_name": "李", "phone": "13800001111",
        "address": "3-502", "description": "Tap", "channel": "phone", "trade": "water",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"room": ""}, "address: room is empty"),
        ({"site": "West"}, "site: site is 'West', none of east"),
        ({"site": ""}, "site: site is '', none of east"),
        ({"what": "roof"}, "trade: no [[trade]] rule of the mapping fits this row"),
        ({"asked": "today"}, "asked_at: 'today' is no moment like %Y-%m-%d %H:%M"),
        ({"asked": "2024-02-30 01:00"}, "asked_at: '2024-02-30 01:00' is no moment like %Y-%m-%d %H:%M"),
        ({"asked": "9999-12-31 01:00"}, "asked_at: '9999-12-31 01:00' is not between 1900 and 2100"),
        ({"site": "x" * 5000}, f"site: site is '{'x' * 60}…', none of east"),
        ({"site": "a\n[/b]\x1b[1m"}, r"site: site is 'a\n[/b]\x1b[1m', none of east"),
    ],
)
def test_a_row_that_can_be_no_request_says_why(good: Mapping, cells: dict[str, str], reason: str) -> None:
    with pytest.raises(BadRow) as told:
        good.apply(Row(2, CELLS | cells))
    assert str(told.value) == reason


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-04-16T03:03:15", "2024-04-16T03:03:15+08:00"),
        ("2024-04-16T03:03:15.500000", "2024-04-16T03:03:15.500000+08:00"),
        ("2024-04-16", "2024-04-16T00:00:00+08:00"),
    ],
)
def test_a_moment_a_spreadsheet_holds_as_a_date_needs_no_form(good: Mapping, cell: str, moment: str) -> None:
    assert good.apply(Row(2, CELLS | {"asked": cell})).fields["asked_at"] == moment


def test_a_moment_that_names_its_zone_is_taken_at_its_word(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path / "m.toml", GOOD.replace("%H:%M", "%H:%M%z"))
    asked = mapping.apply(Row(2, CELLS | {"asked": "2024-04-16 01:00-0400"})).fields["asked_at"]
    assert datetime.fromisoformat(asked) == datetime(2024, 4, 16, 5, 0, tzinfo=UTC)


def test_braces_in_cells_and_doubled_braces_in_templates_are_just_text(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path / "m.toml", GOOD.replace('"{what}"', '"{{x}} {What}"').replace('"tap"', '"{key}"'))
    assert mapping.apply(Row(2, CELLS | {"what": "{key}"})).fields["description"] == "{x} {key}"


def test_a_column_is_found_by_another_heading_and_its_own_comes_first(tmp_path: Path) -> None:
    mapping = mapping_of(
        tmp_path / "m.toml", GOOD.replace("[fields]", '[columns]\nphone = ["Phone No. [home]", "Tel"]\n[fields]')
    )
    there = {name: cell for name, cell in CELLS.items() if name != "phone"}
    for headings, phone in (({"phone_no._[home]": "1"}, "1"), ({"tel": "2"}, "2"), ({"tel": "3", "phone": "4"}, "4")):
        assert mapping.apply(Row(2, there | headings)).fields["phone"] == phone


def test_the_columns_are_checked_by_the_headings_even_when_no_row_can_be_read(good: Mapping, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "key,name\n1\n")
    with pytest.raises(NotATable, match="lacks the columns asked, building, how, phone, room, site, what, which"):
        open_table(path, good)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("source = ", "sauce = ", "the mapping lacks source and has the unknown sauce; it may have source, zone,"),
        ('"phone-book"', "5", "source must be text of 1 to 200 characters"),
        ('"phone-book"', '""', "source must be text"),
        ('"phone-book"', f'"{"x" * 201}"', "source must be text"),
        ('"phone-book"', '"a\\u0000"', "source must be text"),
        ('"Asia/Shanghai"', '"Asia/Nowhere"', "zone is 'Asia/Nowhere', which is no time zone like 'Asia/Shanghai'"),
        ('"Asia/Shanghai"', '"Asia"', "zone is 'Asia', which is no time zone"),
        ('"Asia/Shanghai"', '"../etc/passwd"', "which is no time zone"),
        ('"Asia/Shanghai"', "8", "zone must be text"),
        ('["%Y-%m-%d %H:%M"]', '"%Y-%m-%d"', "moments must be a list of one or more"),
        ('["%Y-%m-%d %H:%M"]', "[]", "moments must be a list of one or more"),
        ('["%Y-%m-%d %H:%M"]', "[5]", "moments must be text"),
        ("%Y-%m-%d", "%Y-%Q-%d", "moments: '%Y-%Q-%d %H:%M' must name year, month and day as strptime does"),
        ("%Y-%m-%d ", "", "moments: '%H:%M' must name year, month and day"),
        ('phone = "{phone}"', "", "[fields] lacks phone; it may have source_key, owner_name, phone, address"),
        ('phone = "{phone}"', 'fone = "{phone}"', "[fields] lacks phone and has the unknown fone"),
        ('"{phone}"', "5", "[fields] phone must be text"),
        ('"{phone}"', '""', "[fields] phone must be text"),
        ('"{key}"', '"key"', "[fields] source_key names no column"),
        ('"{phone}"', '"{phone.__class__}"', "[fields] phone: 'phone.__class__' must be the name of a column"),
        ('"{phone}"', '"{phone[0]}"', "[fields] phone: 'phone[0]' must be the name of a column"),
        ('"{phone}"', '"{0}"', "[fields] phone: '0' must be the name of a column, no number"),
        ('"{phone}"', '"{٣}"', "must be the name of a column, no number"),
        ('"{phone}"', '"{}"', "[fields] phone must be text"),
        ('"{phone}"', '"{phone!r}"', "[fields] phone: {phone} may have no format"),
        ('"{phone}"', '"{phone:>30}"', "[fields] phone: {phone} may have no format"),
        ('"{phone}"', '"{phone:{key}}"', "[fields] phone: {phone} may have no format"),
        ('"{phone}"', '"{phone"', "[fields] phone: expected '}' before end of string"),
        ('"{phone}"', '"phone}"', "[fields] phone: Single '}' encountered"),
        ('column = "site"', "", "[site] lacks column; it may have column, values, otherwise"),
        ('column = "site"', 'column = "a.b"', "[site] column: 'a.b' must be the name of a column"),
        ('{ East = "E" }', '"E"', "[site] values must be a table"),
        ('{ East = "E" }', '{ East = "E", EAST = "F" }', "[site] values has 'EAST' twice: capitals make no difference"),
        ('{ East = "E" }', "{ East = 5 }", "[site] values must be text"),
        ('"phone" }', '"fax" }', "[channel] values is 'fax', it may be phone, walk_in, online"),
        ('otherwise = "online"', 'otherwise = "fax"', "[channel] otherwise is 'fax', it may be phone, walk_in, online"),
        ("otherwise = ", "else = ", "[channel] has the unknown else; it may have column, values, otherwise"),
        ("[[trade]]", "[trade]", "[[trade]] must be a list of one or more"),
        ('trade = "water"', "", "[[trade]] lacks trade; it may have when, trade"),
        ('trade = "water"', "trade = 5", "[[trade]] trade must be text"),
        ('{ what = "tap" }', '"tap"', "[[trade]] when must be a table"),
        ('{ what = "tap" }', "{ what = true }", "[[trade]] when: what must be text"),
        ("[fields]", "[columns]\nphone = 'Tel'\n[fields]", "[columns] phone must be a list of one or more"),
        ("[fields]", "[columns]\nphone = ['T']\nname = ['t']\n[fields]", "[columns] name: 't' is a heading of phone"),
        ("zone =", "columns = 5\nzone =", "[columns] must be a table"),
        ("source = ", "source ", "Expected '=' after a key"),
        ("source = ", f"deep = {'[' * 5000}\nsource = ", "recursion"),
    ],
)
def test_a_defect_of_a_mapping_is_told_with_its_place_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert old in GOOD
    path = written(tmp_path / "bad.toml", GOOD.replace(old, new, 1))
    with pytest.raises(BadMapping) as told:
        read_mapping(path)
    assert reason in str(told.value)
    assert str(told.value).startswith(f"{path}: ")


def test_a_mapping_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match="No such file"):
        read_mapping(tmp_path / "none.toml")
    with pytest.raises(BadMapping, match="utf-8"):
        read_mapping(written(tmp_path / "m.toml", PNG))


def test_a_mapping_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert mapping_of(tmp_path / "m.toml", "\ufeff" + GOOD).source == "phone-book"


def test_a_rule_without_conditions_fits_every_row_and_the_first_that_fits_decides(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path / "m.toml", GOOD + '[[trade]]\nwhen = {}\ntrade = "other"\n')
    rows = [Row(2, CELLS), Row(3, CELLS | {"what": "roof"})]
    good, bad = map_rows(rows, mapping)
    assert ([row.fields["trade"] for row in good], bad) == (["water", "other"], [])


@settings(max_examples=300, deadline=None)
@given(cells=st.fixed_dictionaries({name: st.text(max_size=30) for name in sorted(NYC311.columns())}))
def test_any_text_in_the_cells_is_a_request_or_a_reason(cells: dict[str, str]) -> None:
    good, bad = map_rows([Row(2, cells)], NYC311)
    assert len(good) + len(bad) == 1
    assert all("\n" not in line.reason for line in bad)


@settings(max_examples=300, deadline=None)
@given(
    moment=st.datetimes().map(lambda moment: moment.isoformat())
    | st.from_regex(r"\d{1,5}-\d{1,2}-\d{1,2}T\d\d:\d\d:\d\d(\.\d+)?", fullmatch=True)
)
def test_any_moment_is_taken_with_a_zone_or_told(moment: str) -> None:
    cells = dict.fromkeys(NYC311.columns(), "x") | {"borough": "Bronx", "created_date": moment}
    good, bad = map_rows([Row(2, cells)], NYC311)
    assert all(datetime.fromisoformat(row.fields["asked_at"]).tzinfo for row in good)
    assert all(line.reason.startswith("asked_at: ") for line in bad)
