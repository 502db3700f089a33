"""The month's statistics, compared line by line with the departments' own counts [R40-R43, D18]."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import RuleBroken
from shared.messages import FIELD_DEPARTMENTS, Department

SIGNERS: tuple[Department, ...] = ("front_desk", "finance", *FIELD_DEPARTMENTS)
"""The four departments that must agree [R41]."""


class Item(StrEnum):
    """What is compared for each field department: jobs with the department, money with finance."""

    ACCEPTED = "accepted"
    TERMINATED = "terminated"
    RECEIPTS = "receipts"
    RECEIVED_FEN = "received_fen"


COUNTED_BY_DEPARTMENT = (Item.ACCEPTED, Item.TERMINATED)


@dataclass(frozen=True)
class Line:
    """One line of the comparison: the desk's figure and the other department's (None: not given yet)."""

    department: str
    item: Item
    compared_with: str
    ours: int
    theirs: int | None

    @property
    def agrees(self) -> bool:
        """Whether both have the same figure."""
        return self.ours == self.theirs


def compare(ours: Mapping[tuple[str, str], int], theirs: Mapping[tuple[str, str], int]) -> list[Line]:
    """The comparison of (department, item) -> figure, a missing figure of ours being 0."""
    return [
        Line(
            department,
            item,
            department if item in COUNTED_BY_DEPARTMENT else "finance",
            ours.get((department, item), 0),
            theirs.get((department, item)),
        )
        for department in FIELD_DEPARTMENTS
        for item in Item
    ]


def check_agreed(lines: list[Line]) -> None:
    """Raises RuleBroken when a line is missing or differs: nobody signs that."""
    open_lines = [f"{line.department} {line.item}: {line.ours} / {line.theirs}" for line in lines if not line.agrees]
    if open_lines:
        raise RuleBroken(
            "statistics_differ",
            f"these lines do not agree: {'; '.join(open_lines)}",
            rule="R41",
            allowed=["ask_figures"],
        )
