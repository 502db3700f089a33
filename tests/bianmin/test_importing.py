"""Importing a file as a clerk does: a real client, the real front desk on a real database."""

import csv
import io
import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
import xlsxwriter
from sqlalchemy import text

from bianmin.address import Address
from bianmin.cli import main
from bianmin.client import Client, Person
from bianmin.gateway import make_app
from bianmin.importing.mapping import read_mapping
from bianmin.importing.sending import ImportResult, RowResult, import_file
from shared.db import WORKER, database
from shared.table_files import NotATable
from tests.people import employ, open_site

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FILE = EXAMPLES / "nyc311.csv"
MAPPING = EXAMPLES / "nyc311.toml"
TOKEN = "the-token-of-the-desk-head"
HEAD = Person("", "", "desk_head", TOKEN)
EXPECTED = {"registered": 90, "refused": 404, "malformed": 6}
WEBSITE = {
    "unique_key": "Unique Key",
    "created_date": "Created Date",
    "closed_date": "Closed Date",
    "complaint_type": "Complaint Type",
    "descriptor": "Descriptor",
    "location_type": "Location Type",
    "incident_address": "Incident Address",
    "incident_zip": "Incident Zip",
    "borough": "Borough",
    "open_data_channel_type": "Open Data Channel Type",
}
NEWEST_WEBSITE = WEBSITE | {
    "complaint_type": "Problem (formerly Complaint Type)",
    "descriptor": "Problem Detail (formerly Descriptor)",
}


class Desk:
    """The front desk with the five sites of New York, and somebody who imports there."""

    def __init__(self, client: Client) -> None:
        self.client = client
        with database("intake", WORKER).session() as session:
            self.sites = {code: open_site(session, code) for code in ("BX", "BK", "MN", "QN", "SI")}
            employ(session, "desk_head", "front_desk", token=TOKEN)

    def imports(self, path: Path, mapping: Path = MAPPING, *, by: Person = HEAD) -> ImportResult:
        return import_file(self.client, by, path, read_mapping(mapping))

    def stored(self) -> Counter[str]:
        """How many requests of a source there are, by state."""
        with database("intake", WORKER).session() as session:
            return Counter(session.execute(text("SELECT state FROM requests")).scalars().all())

    def read(self, column: str) -> dict[str, str]:
        """One column of every request, by the source's key."""
        with database("intake", WORKER).session() as session:
            rows = session.execute(text(f"SELECT source_key, {column} FROM requests")).all()
        return {row.source_key: row[1] for row in rows}


@contextmanager
def served() -> Iterator[str]:
    """The services behind their gateway, at a port of their own."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(), log_config=None, lifespan="off", ws="none"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield "http://{}:{}".format(*listening.getsockname())
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def desk(installation: str) -> Iterator[Desk]:
    with served() as url, Client(url) as client:
        yield Desk(client)


@pytest.fixture
def cli(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`bianmin import …` in this process, on the desk: exit code, output, errors."""
    Address(desk.client.base_url, "", "", "", os.getpid()).write(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setenv("BIANMIN_TOKEN", TOKEN)
        monkeypatch.setattr(sys, "argv", ["bianmin", "import", *map(str, arguments), "--data", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def real_rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row(key: str, **changed: str) -> dict[str, str]:
    """A plumbing request in Brooklyn."""
    return {
        "unique_key": key,
        "created_date": "2024-04-16T01:00:00.000",
        "complaint_type": "PLUMBING",
        "descriptor": "FAUCET",
        "incident_address": "12 MAIN STREET",
        "borough": "BROOKLYN",
        "open_data_channel_type": "PHONE",
        **changed,
    }


def write_csv(path: Path, rows: list[dict[str, str]], *, encoding: str = "utf-8", end: str = "\n") -> Path:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, rows: list[dict[str, str]]) -> Path:
    """As a spreadsheet keeps them: keys are numbers and moments are dates."""
    with xlsxwriter.Workbook(path) as book:
        sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, list(rows[0]))
        for number, cells in enumerate(rows, 1):
            for column, (name, cell) in enumerate(cells.items()):
                if name == "unique_key":
                    sheet.write_number(number, column, int(cell))
                elif name == "created_date":
                    sheet.write_datetime(number, column, datetime.fromisoformat(cell), moment)
                else:
                    sheet.write_string(number, column, cell)
    return path


def outcomes(result: ImportResult) -> list[tuple[int, str, str]]:
    return [(line.row, line.outcome, line.reason) for line in result.rows]


def test_the_bundled_file_is_registered_refused_or_malformed_with_the_reason(desk: Desk) -> None:
    result = desk.imports(FILE)
    assert result.counts() == EXPECTED
    assert [line.row for line in result.rows] == list(range(2, 502))
    assert {(line.row, line.reason) for line in result.malformed()} == {
        (number, "address: incident_address is empty") for number in (2, 23, 24, 54, 99, 144)
    }
    assert all(line.reason and line.request_id for line in result.rows if line.outcome == "refused")
    assert desk.stored() == {"recorded": 90, "refused": 404}


def test_the_same_file_again_stores_nothing_new(desk: Desk) -> None:
    first = {line.row: line.request_id for line in desk.imports(FILE).rows}
    again = desk.imports(FILE)
    assert again.counts() == {"known": 494, "malformed": 6}
    assert {line.row: line.request_id for line in again.rows} == first
    assert desk.stored().total() == 494


def test_two_people_importing_the_same_file_at_the_same_time_store_it_once(desk: Desk) -> None:
    def once(_: int) -> Counter[str]:
        with Client(desk.client.base_url) as client:
            return import_file(client, HEAD, FILE, read_mapping(MAPPING)).counts()

    with ThreadPoolExecutor(2) as two:
        both = sum(two.map(once, range(2)), Counter[str]())
    assert both == {"registered": 90, "refused": 404, "known": 494, "malformed": 12}
    assert desk.stored().total() == 494


def test_an_xlsx_of_the_same_rows_has_the_same_outcome(desk: Desk, tmp_path: Path) -> None:
    from_csv = outcomes(desk.imports(FILE))
    asked = desk.read("asked_at")
    again = desk.imports(write_xlsx(tmp_path / "same.xlsx", real_rows()))
    assert again.counts() == {"known": 494, "malformed": 6}
    other = tmp_path / "other.toml"
    other.write_text(MAPPING.read_text(encoding="utf-8").replace('"nyc311"', '"other"'), encoding="utf-8")
    assert outcomes(desk.imports(tmp_path / "same.xlsx", other)) == from_csv
    assert desk.read("asked_at") == asked


@pytest.mark.parametrize("headings", [WEBSITE, NEWEST_WEBSITE], ids=["older", "newest"])
def test_the_website_s_export_has_the_same_outcome(desk: Desk, tmp_path: Path, headings: dict[str, str]) -> None:
    rows = []
    for cells in real_rows():
        moment = datetime.fromisoformat(cells["created_date"])
        cells["created_date"] = f"{moment:%m/%d/%Y %I:%M:%S %p}"
        rows.append(
            {headings[name]: cell for name, cell in cells.items()} | {"Agency": "HPD", "Location": "(40.6, -73.9)"}
        )
    result = desk.imports(write_csv(tmp_path / "export.csv", rows, encoding="utf-8-sig", end="\r\n"))
    assert result.counts() == EXPECTED
    assert desk.imports(FILE).counts() == {"known": 494, "malformed": 6}


def test_a_file_of_another_day_with_what_this_one_lacks_is_imported(desk: Desk, tmp_path: Path) -> None:
    rows = [
        row("11", complaint_type="Drone Sighting"),
        row("12", borough="Unspecified"),
        row("13", open_data_channel_type="OTHER"),
        row("14", open_data_channel_type=""),
        row("15", borough="Brooklyn", complaint_type="plumbing"),
        row("16", borough=""),
    ]
    result = desk.imports(write_csv(tmp_path / "other.csv", rows))
    assert [line.outcome for line in result.rows] == [
        "refused", "malformed", "registered", "registered", "registered", "malformed",
    ]  # fmt: skip
    assert "'Unspecified'" in result.rows[1].reason
    assert "brooklyn" in result.rows[1].reason
    assert desk.read("channel") == {"11": "phone", "13": "online", "14": "online", "15": "phone"}


@pytest.mark.parametrize(
    ("encoding", "end"), [("gb18030", "\n"), ("utf-8-sig", "\r\n"), ("utf-8", "\r\n"), ("utf-8", "\r")]
)
def test_encodings_and_line_ends_make_no_difference(desk: Desk, tmp_path: Path, encoding: str, end: str) -> None:
    rows = [row("11", incident_address="和平路12号"), row("12", incident_address="3 单元\n502 室, “东”")]
    result = desk.imports(write_csv(tmp_path / "rows.csv", rows, encoding=encoding, end=end))
    assert result.counts() == {"registered": 2}
    assert desk.read("address") == {"11": "和平路12号", "12": "3 单元\n502 室, “东”"}


def test_a_malformed_row_stores_nothing_and_is_told_by_the_number_a_spreadsheet_shows(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "unique_key,created_date,complaint_type,descriptor,incident_address,borough,open_data_channel_type\n"
        '11,2024-04-16T01:00:00,PLUMBING,"a\nb\nc","He said ""12, Main""",BROOKLYN,PHONE\n'  # row 2, three lines
        "12,2024-04-16T01:00:00,PLUMBING,x,1 MAIN,BROOKLYN\n"  # row 3: a cell too few
        "\n"  # row 4
        ",,,,,,\n"  # row 5
        "13,2024-04-16T01:00:00,PLUMBING,x,1 MAIN,Apt 2,BROOKLYN,PHONE\n"  # row 6: a cell too many
        "14,16 April,PLUMBING,x,1 MAIN,BROOKLYN,PHONE\n"  # row 7
        "555555555555555555555,2024-04-16T01:00:00,PLUMBING,x,1 MAIN,BROOKLYN,PHONE\n"  # row 8: phone too long
        "11,2024-04-16T01:00:00,PLUMBING,x,1 MAIN,QUEENS,PHONE\n"  # row 9: the key of row 2
        "15,1800-01-01T00:00:00,PLUMBING,x,1 MAIN,QUEENS,PHONE\n"  # row 10
        f"16,2024-04-16T01:00:00,PLUMBING,{'x' * 2001},1 MAIN,QUEENS,PHONE\n"  # row 11
        "17,2024-04-16T01:00:00,PLUMBING,x, \t ,QUEENS,PHONE\n",  # row 12
        encoding="utf-8",
    )
    told = {line.row: line for line in desk.imports(path).rows}
    assert {number: line.outcome for number, line in told.items()} == {
        2: "registered", 3: "malformed", 6: "malformed", 7: "malformed", 8: "malformed", 9: "known",
        10: "malformed", 11: "malformed", 12: "malformed",
    }  # fmt: skip
    for number, reason in {
        3: "it has 6 cells, the table has 7 columns",
        6: "it has 8 cells, the table has 7 columns",
        7: "asked_at: '16 April' is no moment like",
        8: "phone: ",
        10: "asked_at: ",
        11: "description: ",
        12: "address: incident_address is empty",
    }.items():
        assert reason in told[number].reason
    assert desk.read("description") == {"11": "PLUMBING: a\nb\nc"}
    assert desk.read("address") == {"11": 'He said "12, Main"'}


def test_a_key_that_comes_twice_in_one_file_is_stored_once(desk: Desk, tmp_path: Path) -> None:
    result = desk.imports(write_csv(tmp_path / "twice.csv", [row("11"), row("11", descriptor="again"), row("12")]))
    assert [line.outcome for line in result.rows] == ["registered", "known", "registered"]
    assert desk.read("description") == {"11": "PLUMBING: FAUCET", "12": "PLUMBING: FAUCET"}


def test_the_moment_is_taken_in_the_zone_of_the_source(desk: Desk, tmp_path: Path) -> None:
    desk.imports(write_csv(tmp_path / "rows.csv", [row("11"), row("12", created_date="01/16/2024 01:00:00 PM")]))
    asked = {key: moment.astimezone(None).timestamp() for key, moment in desk.read("asked_at").items()}  # type: ignore[attr-defined]
    assert asked == {
        "11": datetime.fromisoformat("2024-04-16T05:00:00+00:00").timestamp(),
        "12": datetime.fromisoformat("2024-01-16T18:00:00+00:00").timestamp(),
    }


def test_a_row_of_a_site_that_is_not_managed_or_not_the_clerk_s_is_malformed(desk: Desk, tmp_path: Path) -> None:
    with database("intake", WORKER).session() as session:
        employ(session, "clerk", "front_desk", desk.sites["BK"], token="a-clerk-of-BK")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING.read_text(encoding="utf-8").replace('"SI"', '"JERSEY"'), encoding="utf-8")
    rows = [row("11"), row("12", borough="QUEENS"), row("13", borough="STATEN ISLAND")]
    path = write_csv(tmp_path / "rows.csv", rows)
    result = desk.imports(path, mapping, by=Person("", "", "clerk", "a-clerk-of-BK"))
    assert [line.outcome for line in result.rows] == ["registered", "malformed", "malformed"]
    assert result.rows[2].reason == "site: JERSEY is no managed site of yours [R6]"
    assert desk.stored() == {"recorded": 1}


def test_a_trade_the_catalogue_lacks_makes_its_rows_malformed(desk: Desk, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING.read_text(encoding="utf-8").replace('"water"', '"fire"'), encoding="utf-8")
    result = desk.imports(write_csv(tmp_path / "rows.csv", [row("11"), row("12", complaint_type="ELECTRIC")]), mapping)
    assert [line.outcome for line in result.rows] == ["malformed", "registered"]
    assert "'fire'" in result.rows[0].reason


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_moment_far_from_ours_is_malformed_and_the_desk_still_reads_its_requests(
    desk: Desk, tmp_path: Path, moment: str
) -> None:
    result = desk.imports(write_csv(tmp_path / "rows.csv", [row("11", created_date=moment), row("12")]))
    assert [line.outcome for line in result.rows] == ["malformed", "registered"]
    assert len(desk.client.pages(HEAD, "/intake/api/requests")) == 1


def test_progress_is_told_for_every_row(desk: Desk, tmp_path: Path) -> None:
    totals: list[int] = []
    done: list[int] = []
    rows = [*real_rows(), {**real_rows()[1], "unique_key": "11", "borough": "Unspecified"}]
    path = write_csv(tmp_path / "rows.csv", rows)
    mapping = read_mapping(MAPPING)
    import_file(desk.client, HEAD, path, mapping, start=totals.append, progress=done.append)
    assert totals == [501]
    assert sum(done) == 501
    assert len([step for step in done if step]) > 3


def test_a_file_that_lacks_a_column_sends_nothing(desk: Desk, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"unique_key": "11", "borough": "QUEENS"}])
    with pytest.raises(NotATable, match="lacks the columns complaint_type, created_date, descriptor, incident_address"):
        desk.imports(path)
    assert not desk.stored()


def test_a_file_of_headings_alone_imports_no_row(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(",".join(row("11")) + "\n", encoding="utf-8")
    assert desk.imports(path).rows == []


def test_the_command_tells_the_counts_and_the_malformed_rows(cli: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = cli(FILE, "--mapping", MAPPING)
    assert code == 0
    assert "row 2: address: incident_address is empty" in out
    for outcome, count in EXPECTED.items():
        assert any(outcome in line and str(count) in line.split() for line in out.replace("│", " ").splitlines())


@pytest.mark.parametrize("name", ["picture.png", "empty.csv", "missing.csv", "one.csv", "mapping.toml"])
def test_the_command_ends_with_2_and_one_line_when_the_file_or_the_mapping_is_none(
    desk: Desk, cli: Callable[..., tuple[int, str, str]], tmp_path: Path, name: str
) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "one.csv").write_text("a\n1\n")
    (tmp_path / "mapping.toml").write_text("source = 1\n")
    wrong = tmp_path / name
    code, out, err = cli(*((FILE, "--mapping", wrong) if name == "mapping.toml" else (wrong, "--mapping", MAPPING)))
    assert code == 2
    assert name in err.replace("\n", "")
    assert "Traceback" not in err
    assert not out
    assert not desk.stored()


def test_a_result_counts_by_outcome() -> None:
    rows = [RowResult(2, "known", "stored before"), RowResult(3, "malformed", "why"), RowResult(4, "known", "")]
    result = ImportResult(rows)
    assert result.counts() == {"known": 2, "malformed": 1}
    assert result.malformed() == [rows[1]]


def test_a_bad_file_or_mapping_is_told_although_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.csv").write_text("a\n")
    (tmp_path / "m.toml").write_text("[fields]\n")
    for arguments, named in (
        ((tmp_path / "x.csv", "--mapping", MAPPING), "x.csv"),
        ((FILE, "--mapping", tmp_path / "m.toml"), "m.toml"),
    ):
        monkeypatch.setattr(sys, "argv", ["bianmin", "import", *map(str, arguments), "--data", str(tmp_path / "none")])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert named in capsys.readouterr().err.replace("\n", "")


def test_cells_that_look_like_markup_are_shown_as_they_are(
    cli: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "r.csv", [row("11", borough="[/bold]"), row("12", complaint_type="x")])
    code, out, _ = cli(path, "--mapping", MAPPING)
    assert code == 0
    assert "[/bold]" in out
    assert "1 refused" in out
