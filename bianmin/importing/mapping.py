"""The mapping of a source: which column of its tables becomes which field of a request (see docs/import.md)."""

import string
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bianmin.importing.table import NotATable, Row, normal

FIELDS = ("source_key", "asked_at", "owner_name", "phone", "address", "description")


class BadMapping(Exception):
    """The mapping file is not one; the message says what it must have."""


class BadRow(Exception):
    """A row cannot become a request; the message says why."""


@dataclass(frozen=True)
class Choice:
    """A column whose values stand for ours; `otherwise` is for values not listed."""

    column: str
    values: dict[str, str]
    otherwise: str | None

    def of(self, row: Row, what: str) -> str:
        """Our value for the row's. Raises BadRow when there is none."""
        found = row.cells[self.column]
        value = self.values.get(found.casefold(), self.otherwise)
        if value is None:
            raise BadRow(f"{what}: {self.column} is {found!r}, none of {', '.join(sorted(self.values))}")
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
    fields: dict[str, str]
    site: Choice
    channel: Choice
    trades: list[tuple[dict[str, str], str]]

    def columns(self) -> set[str]:
        """Every column the mapping names."""
        named = {self.site.column, self.channel.column}
        for template in self.fields.values():
            named |= set(_columns_of(template))
        for when, _ in self.trades:
            named |= set(when)
        return named

    def check_columns(self, rows: list[Row], path: Path) -> None:
        """Raises NotATable when the table lacks a column the mapping names."""
        present = next((set(row.cells) for row in rows if row.cells), set())
        missing = sorted(self.columns() - present)
        if missing:
            raise NotATable(f"{path}: the table lacks the columns {', '.join(missing)}, which the mapping names")

    def apply(self, row: Row) -> Mapped:
        """The row as a request. Raises BadRow with the reason."""
        if row.problem:
            raise BadRow(row.problem)
        fields: dict[str, Any] = {name: self._fill(name, template, row) for name, template in self.fields.items()}
        if "asked_at" in fields:
            fields["asked_at"] = self._moment(fields["asked_at"])
        return Mapped(
            row.number,
            self.site.of(row, "site"),
            {**fields, "channel": self.channel.of(row, "channel"), "trade": self._trade(row)},
        )

    def _fill(self, name: str, template: str, row: Row) -> str:
        for column in _columns_of(template):
            if not row.cells[column]:
                raise BadRow(f"{name}: {column} is empty")
        return template.format_map(row.cells)

    def _moment(self, text: str) -> str:
        for form in self.moments:
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007  # the zone is the source's
            except ValueError:
                continue
            return moment.replace(tzinfo=self.zone).isoformat()
        raise BadRow(f"asked_at: {text!r} is no moment like {' or '.join(self.moments)}")

    def _trade(self, row: Row) -> str:
        for when, trade in self.trades:
            if all(row.cells[column].casefold() == value.casefold() for column, value in when.items()):
                return trade
        raise BadRow("trade: no [[trade]] rule of the mapping fits this row")


def _columns_of(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file. Raises BadMapping."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        mapping = Mapping(
            source=raw["source"],
            zone=ZoneInfo(raw["zone"]),
            moments=list(raw["moments"]),
            fields={name: _normal_template(template) for name, template in raw["fields"].items()},
            site=_choice(raw["site"]),
            channel=_choice(raw["channel"]),
            trades=[({normal(c): str(v) for c, v in rule["when"].items()}, rule["trade"]) for rule in raw["trade"]],
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadMapping(f"{path}: {error}") from None
    except KeyError as missing:
        raise BadMapping(f"{path}: the mapping lacks {missing}") from None
    except (ZoneInfoNotFoundError, AttributeError, TypeError, ValueError) as error:
        raise BadMapping(f"{path}: {error}") from None
    unknown = sorted(set(mapping.fields) - set(FIELDS))
    lacking = sorted(set(FIELDS) - {"asked_at"} - set(mapping.fields))
    if unknown or lacking:
        raise BadMapping(f"{path}: [fields] has the unknown {unknown} and lacks {lacking}; it may have {FIELDS}")
    return mapping


def _normal_template(template: str) -> str:
    return "".join(
        literal.replace("{", "{{").replace("}", "}}") + (f"{{{normal(name)}}}" if name else "")
        for literal, name, _, _ in string.Formatter().parse(template)
    )


def _choice(raw: dict[str, Any]) -> Choice:
    values = {str(theirs).casefold(): str(ours) for theirs, ours in raw["values"].items()}
    return Choice(normal(raw["column"]), values, raw.get("otherwise"))
