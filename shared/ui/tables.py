"""Tables of pages: what is shown, sorted, and given to a spreadsheet as it is shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.spreadsheets import Cell


@dataclass(frozen=True)
class Column:
    """A column: what it reads of a row ('notice.number'), its heading in Chinese, and how it is written.

    `kind` is one of text, word (a state, said in words), badge, money, moment, clock, day, number, person, site.
    """

    name: str
    heading: str
    kind: str = "text"
    link: Callable[[Any], str] | None = None
    tone: Callable[[Any], str] | None = None
    """The colour of a badge: good, warn, bad, calm; said in words besides."""

    def of(self, row: Any) -> Any:
        """What the row has there; None where a step of the way is missing."""
        for part in self.name.split("."):
            row = row.get(part) if isinstance(row, dict) else getattr(row, part, None)
            if row is None:
                return None
        return row

    @property
    def numeric(self) -> bool:
        """Whether it stands on the right."""
        return self.kind in ("money", "number")


@dataclass(frozen=True)
class Table:
    """Rows in columns; `next` is the cursor of the page after."""

    columns: Sequence[Column]
    rows: Sequence[Any]
    next: UUID | str | None = None
    empty: str = "没有记录"
    """What is said when there are none: what that means, and the next step."""
    name: str = "table"

    def sorted(self, by: str | None) -> "Table":
        """The same, its rows in order of a column ('-fee_fen': the largest first); unknown columns change nothing."""
        wanted = (by or "").removeprefix("-")
        column = next((one for one in self.columns if one.name == wanted), None)
        if column is None:
            return self
        some = [row for row in self.rows if column.of(row) is not None]
        none = [row for row in self.rows if column.of(row) is None]
        ordered = sorted(some, key=lambda row: _key(column.of(row)), reverse=(by or "").startswith("-"))
        return Table(self.columns, [*ordered, *none], self.next, self.empty, self.name)

    def cells(self, write: Callable[[Column, Any], Cell]) -> list[list[Cell]]:
        """Its headings and rows as cells of a spreadsheet; `write` makes what a cell holds of a value."""
        headings: list[Cell] = [column.heading for column in self.columns]
        return [headings, *([write(column, column.of(row)) for column in self.columns] for row in self.rows)]


def _key(value: Any) -> Any:
    return value if isinstance(value, int | float | datetime) else str(value)
