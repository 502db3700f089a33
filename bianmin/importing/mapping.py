"""The mapping of a source: which column of its tables becomes which field of a request (see docs/import.md)."""

import re
import string
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.table_files import NotATable, Row, Table, normal, shown

FIELDS = ("source_key", "asked_at", "owner_name", "phone", "address", "description")
CHANNELS = ("phone", "walk_in", "online")

_CELL_MOMENTS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d")
"""How table.py writes what a spreadsheet holds as a date."""

_YEARS = range(1900, 2101)
"""When somebody can have asked; further out are slips of the pen, and moments no database can give back in UTC."""

_COLUMN = re.compile(r"(?=.*\D)[^.\[\]]+")
_SAMPLE = datetime(2013, 11, 22, 23, 44, 55, tzinfo=UTC)


class BadMapping(Exception):
    """The mapping file is not one; the message says what it must have."""


class BadRow(Exception):
    """A row cannot become a request; the message says why."""


@dataclass(frozen=True)
class Template:
    """Text with {columns}: pairs of literal text and the column after it ("" for none)."""

    parts: tuple[tuple[str, str], ...]

    def columns(self) -> list[str]:
        """The columns it names."""
        return [column for _, column in self.parts if column]

    def fill(self, cells: dict[str, str]) -> str:
        """The text, with the cells of a row."""
        return "".join(literal + (cells[column] if column else "") for literal, column in self.parts)


@dataclass(frozen=True)
class Choice:
    """A column whose values stand for ours; `otherwise` is for values not listed."""

    column: str
    values: dict[str, str]
    otherwise: str | None

    def of(self, cells: dict[str, str], what: str) -> str:
        """Our value for the row's. Raises BadRow when there is none."""
        found = cells[self.column]
        value = self.values.get(found.casefold(), self.otherwise)
        if value is None:
            raise BadRow(f"{what}: {self.column} is {shown(found)}, none of {', '.join(sorted(self.values))}")
        return value


@dataclass(frozen=True)
class Mapped:
    """A row as a request: what intake's import takes, and the code of its site."""

    number: int
    site_code: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Mapping:
    """How the tables of one source are read."""

    source: str
    zone: ZoneInfo
    moments: list[str]
    headings: dict[str, str]
    """Other heading -> the name by which the mapping calls that column."""
    fields: dict[str, Template]
    site: Choice
    channel: Choice
    trades: list[tuple[dict[str, str], str]]

    def columns(self) -> set[str]:
        """Every column the mapping names."""
        named = {self.site.column, self.channel.column}
        named.update(*(template.columns() for template in self.fields.values()), *(when for when, _ in self.trades))
        return named

    def check_columns(self, table: Table, path: Path) -> None:
        """Raises NotATable when the table lacks a column the mapping names."""
        missing = sorted(self.columns() - self._named(dict.fromkeys(table.headings, "")).keys())
        if missing:
            raise NotATable(f"{path}: the table lacks the columns {', '.join(missing)}, which the mapping names")

    def apply(self, row: Row) -> Mapped:
        """The row as a request. Raises BadRow with the reason."""
        if row.problem:
            raise BadRow(row.problem)
        cells = self._named(row.cells)
        fields: dict[str, Any] = {name: _fill(name, template, cells) for name, template in self.fields.items()}
        if "asked_at" in fields:
            fields["asked_at"] = self._moment(fields["asked_at"])
        return Mapped(
            row.number,
            self.site.of(cells, "site"),
            {**fields, "channel": self.channel.of(cells, "channel"), "trade": self._trade(cells)},
        )

    def _named(self, cells: dict[str, str]) -> dict[str, str]:
        """The cells by the mapping's names; a column that has such a name itself comes first."""
        return {self.headings[heading]: cell for heading, cell in cells.items() if heading in self.headings} | cells

    def _moment(self, text: str) -> str:
        for form in (*self.moments, *_CELL_MOMENTS):
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007  # the zone is the source's
            except ValueError:
                continue
            if moment.year not in _YEARS:
                raise BadRow(f"asked_at: {shown(text)} is not between {_YEARS[0]} and {_YEARS[-1]}")
            return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).isoformat()
        raise BadRow(f"asked_at: {shown(text)} is no moment like {' or '.join(self.moments)}")

    def _trade(self, cells: dict[str, str]) -> str:
        for when, trade in self.trades:
            if all(cells[column].casefold() == value for column, value in when.items()):
                return trade
        raise BadRow("trade: no [[trade]] rule of the mapping fits this row")


def _fill(name: str, template: Template, cells: dict[str, str]) -> str:
    for column in template.columns():
        if not cells[column]:
            raise BadRow(f"{name}: {column} is empty")
    return template.fill(cells)


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file. Raises BadMapping, which names the place and what is allowed there."""
    try:
        return _mapping(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise BadMapping(f"{path}: {error.strerror}") from None
    except (BadMapping, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadMapping(f"{path}: {error}") from None


def _mapping(raw: object) -> Mapping:
    needs = ("source", "zone", "moments", "fields", "site", "channel", "trade")
    top = _section(raw, "the mapping", needs=needs, may=("columns",))
    fields = _section(
        top["fields"], "[fields]", needs=[name for name in FIELDS if name != "asked_at"], may=["asked_at"]
    )
    templates = {name: _template(text, f"[fields] {name}") for name, text in fields.items()}
    if not templates["source_key"].columns():
        raise BadMapping("[fields] source_key names no column: every row would have the same key")
    return Mapping(
        source=_text(top["source"], "source", longest=200),
        zone=_zone(top["zone"]),
        moments=[_form(form, "moments") for form in _several(top["moments"], "moments")],
        headings=_headings(top.get("columns", {})),
        fields=templates,
        site=_choice(top["site"], "[site]"),
        channel=_choice(top["channel"], "[channel]", allowed=CHANNELS),
        trades=[_rule(rule) for rule in _several(top["trade"], "[[trade]]")],
    )


def _section(raw: object, where: str, *, needs: Iterable[str], may: Iterable[str] = ()) -> dict[str, Any]:
    """A table with these keys and no others."""
    if not isinstance(raw, dict):
        raise BadMapping(f"{where} must be a table with {_listed(needs)}")
    lacking = [key for key in needs if key not in raw]
    unknown = [key for key in raw if key not in (*needs, *may)]
    said = [f"lacks {_listed(lacking)}"] if lacking else []
    said += [f"has the unknown {_listed(unknown)}"] if unknown else []
    if said:
        raise BadMapping(f"{where} {' and '.join(said)}; it may have {_listed((*needs, *may))}")
    return raw


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _several(raw: object, where: str) -> list[object]:
    if not isinstance(raw, list) or not raw:
        raise BadMapping(f"{where} must be a list of one or more")
    return raw


def _text(raw: object, where: str, *, longest: int = 2000, allowed: Iterable[str] = ()) -> str:
    if not isinstance(raw, str) or not raw.strip() or len(raw) > longest or "\0" in raw:
        raise BadMapping(f"{where} must be text of 1 to {longest} characters")
    if allowed and raw not in allowed:
        raise BadMapping(f"{where} is {shown(raw)}, it may be {_listed(allowed)}")
    return raw.strip()


def _zone(raw: object) -> ZoneInfo:
    name = _text(raw, "zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadMapping(f"zone is {shown(name)}, which is no time zone like 'Asia/Shanghai'") from None


def _form(raw: object, where: str) -> str:
    """A form of moments: one that reads back the day it wrote."""
    form = _text(raw, where)
    try:
        good = datetime.strptime(_SAMPLE.strftime(form), form).date() == _SAMPLE.date()  # noqa: DTZ007  # a day
    except (ValueError, re.error):
        good = False
    if not good:
        raise BadMapping(f"{where}: {shown(form)} must name year, month and day as strptime does: %Y-%m-%d %H:%M:%S")
    return form


def _column(raw: object, where: str) -> str:
    """A column by its normalised name."""
    column = normal(_text(raw, where))
    if not _COLUMN.fullmatch(column):
        raise BadMapping(
            f"{where}: {shown(column)} must be the name of a column, no number and without . [ ]; "
            "[columns] can give such a column another name"
        )
    return column


def _template(raw: object, where: str) -> Template:
    """Only {column}: no attributes, indices, numbers, conversions or formats of it."""
    try:
        parsed = list(string.Formatter().parse(_text(raw, where)))
    except ValueError as error:
        raise BadMapping(f"{where}: {error}; a column is written {{column}}") from None
    parts = []
    for literal, name, form, conversion in parsed:
        if form or conversion:
            raise BadMapping(f"{where}: {{{name}}} may have no format; a column is written {{column}}")
        parts.append((literal, "" if name is None else _column(name, where)))
    return Template(tuple(parts))


def _headings(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise BadMapping("[columns] must be a table: name = [other headings of that column]")
    found: dict[str, str] = {}
    for name, others in raw.items():
        for other in _several(others, f"[columns] {name}"):
            heading = normal(_text(other, f"[columns] {name}"))
            if heading in found:
                raise BadMapping(f"[columns] {name}: {shown(heading)} is a heading of {found[heading]} already")
            found[heading] = _column(name, "[columns]")
    return found


def _choice(raw: object, where: str, *, allowed: Iterable[str] = ()) -> Choice:
    section = _section(raw, where, needs=("column", "values"), may=("otherwise",))
    if not isinstance(section["values"], dict):
        raise BadMapping(f"{where} values must be a table: {{ THEIRS = 'ours' }}")
    values: dict[str, str] = {}
    for theirs, ours in section["values"].items():
        if theirs.casefold() in values:
            raise BadMapping(f"{where} values has {shown(theirs)} twice: capitals make no difference")
        values[theirs.casefold()] = _text(ours, f"{where} values", allowed=allowed)
    otherwise = section.get("otherwise")
    return Choice(
        _column(section["column"], f"{where} column"),
        values,
        None if otherwise is None else _text(otherwise, f"{where} otherwise", allowed=allowed),
    )


def _rule(raw: object) -> tuple[dict[str, str], str]:
    section = _section(raw, "[[trade]]", needs=("when", "trade"))
    if not isinstance(section["when"], dict):
        raise BadMapping("[[trade]] when must be a table: { column = 'value' }")
    when = {}
    for column, value in section["when"].items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadMapping(f"[[trade]] when: {column} must be text")
        when[_column(column, "[[trade]] when")] = str(value).casefold()
    return when, _text(section["trade"], "[[trade]] trade", longest=200)
