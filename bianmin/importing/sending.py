"""Sending mapped rows to intake, in batches by site, and what became of each row."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bianmin.client import Client, Person, Refused
from bianmin.importing.mapping import BadRow, Mapped, Mapping
from shared.table_files import Row, Table, read_table

BATCH = 200


@dataclass(frozen=True)
class RowResult:
    """What became of a row: registered, refused, known or malformed, with the reason."""

    row: int
    outcome: str
    reason: str
    request_id: str = ""


@dataclass
class ImportResult:
    """What became of a file."""

    rows: list[RowResult] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """How many rows by outcome."""
        return Counter(row.outcome for row in self.rows)

    def malformed(self) -> list[RowResult]:
        """The rows nothing was stored of."""
        return [row for row in self.rows if row.outcome == "malformed"]


def map_rows(rows: Sequence[Row], mapping: Mapping) -> tuple[list[Mapped], list[RowResult]]:
    """The rows that can be requests, and the malformed ones with the reason."""
    good: list[Mapped] = []
    bad: list[RowResult] = []
    for row in rows:
        try:
            good.append(mapping.apply(row))
        except BadRow as reason:
            bad.append(RowResult(row.number, "malformed", str(reason)))
    return good, bad


def send_rows(
    client: Client,
    clerk: Person,
    mapping: Mapping,
    rows: Sequence[Mapped],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> list[RowResult]:
    """Register the rows through intake; a row of a site that is not managed is malformed [R6]."""
    sites = {site["code"]: site["id"] for site in client.get(clerk, "/intake/api/sites")}
    told = [
        RowResult(row.number, "malformed", f"site: {row.site_code} is no managed site of yours [R6]")
        for row in rows
        if row.site_code not in sites
    ]
    progress(len(told))
    for code, site_id in sites.items():
        of_site = [row for row in rows if row.site_code == code]
        for start in range(0, len(of_site), BATCH):
            batch = of_site[start : start + BATCH]
            told += _send_batch(client, clerk, mapping.source, site_id, batch)
            progress(len(batch))
    return told


def _send_batch(client: Client, clerk: Person, source: str, site_id: str, batch: Sequence[Mapped]) -> list[RowResult]:
    """Once more when somebody else imported a row at the same moment: it is known then."""
    rows = {row.number: row.fields for row in batch}
    try:
        answer = client.post(clerk, "/intake/api/imports", source=source, site_id=site_id, rows=rows)
    except Refused as refused:
        if refused.code != "conflict":
            raise
        answer = client.post(clerk, "/intake/api/imports", source=source, site_id=site_id, rows=rows)
    return [RowResult(line["row"], line["outcome"], line["reason"], line["request_id"] or "") for line in answer]


def open_table(path: Path, mapping: Mapping) -> Table:
    """The rows of a file that has every column the mapping names. Raises NotATable."""
    table = read_table(path)
    mapping.check_columns(table, path)
    return table


def import_table(
    client: Client,
    clerk: Person,
    table: Table,
    mapping: Mapping,
    *,
    start: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> ImportResult:
    """Import every row; `start` is told how many there are, `progress` how many more are done."""
    start(len(table))
    good, bad = map_rows(table, mapping)
    progress(len(bad))
    told = bad + send_rows(client, clerk, mapping, good, progress=progress)
    return ImportResult(sorted(told, key=lambda row: row.row))


def import_file(
    client: Client,
    clerk: Person,
    path: Path,
    mapping: Mapping,
    *,
    start: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> ImportResult:
    """Import a whole file. Raises NotATable when it is none; then nothing was sent."""
    return import_table(client, clerk, open_table(path, mapping), mapping, start=start, progress=progress)
