"""The month's statistics, compared line by line with the departments' own counts [R40-R43, D18]."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.errors import Malformed, NotFound, NotYourRole, RuleBroken
from shared.messages import FIELD_DEPARTMENTS, Department
from shared.policy import Minutes, Policy
from shared.states import Machine

SIGNERS: tuple[Department, ...] = ("front_desk", "finance", *FIELD_DEPARTMENTS)
"""The four departments that must agree [R41]."""


class StatisticsPolicy(Policy):
    """Minutes from closing time of the month's last day, whose cash check comes first, to its statistics.

    A month is opened with the moment of its end: a change holds from the next month on, or once the hours of the site
    change.
    """

    decision = "D18"

    minutes_after_closing: Minutes = 30


class Item(StrEnum):
    """What is compared for each field department: jobs with the department, money with finance."""

    ACCEPTED = "accepted"
    TERMINATED = "terminated"
    RECEIPTS = "receipts"
    RECEIVED_FEN = "received_fen"


COUNTED_BY_DEPARTMENT = (Item.ACCEPTED, Item.TERMINATED)


class LineState(StrEnum):
    """Where a line stands: both counts are the same or not, it is disputed, a figure is proposed, both accept one."""

    AGREED = "agreed"
    DIFFERS = "differs"
    DISPUTED = "disputed"
    PROPOSED = "proposed"
    SETTLED = "settled"


class LineStep(StrEnum):
    """What can be said of a line: 异议, the desk's proposal, and its acceptance by whom the line is compared with."""

    DISPUTE = "dispute"
    SETTLE = "settle"
    ACCEPT = "accept"


LINE = Machine[LineState, LineStep](
    "line of the statistics",
    "R41",
    {
        (LineState.AGREED, LineStep.DISPUTE): LineState.DISPUTED,
        (LineState.DIFFERS, LineStep.DISPUTE): LineState.DISPUTED,
        (LineState.DISPUTED, LineStep.SETTLE): LineState.PROPOSED,
        (LineState.PROPOSED, LineStep.ACCEPT): LineState.SETTLED,
        # a figure that one side will not have is disputed anew, and so is one both had accepted
        (LineState.PROPOSED, LineStep.DISPUTE): LineState.DISPUTED,
        (LineState.SETTLED, LineStep.DISPUTE): LineState.DISPUTED,
    },
)

SIGNABLE = (LineState.AGREED, LineState.SETTLED)


@dataclass(frozen=True)
class Line:
    """One line of the comparison: the desk's figure and the other department's (None: not given yet).

    `reason` is why it was disputed; `figure` the one the desk proposed, which counts once the line is settled.
    """

    department: str
    item: Item
    compared_with: str
    ours: int
    theirs: int | None
    state: LineState
    reason: str | None = None
    figure: int | None = None

    @property
    def counts(self) -> int:
        """The figure that goes into the report."""
        return self.figure if self.state is LineState.SETTLED and self.figure is not None else self.ours


@dataclass(frozen=True)
class Said:
    """Something said of a line, in order: the step, its figure and its words."""

    department: str
    item: Item
    step: LineStep
    figure: int | None
    note: str


def compare(
    ours: Mapping[tuple[str, str], int], theirs: Mapping[tuple[str, str], int], said: Iterable[Said] = ()
) -> list[Line]:
    """The comparison of (department, item) -> figure, a missing figure of ours being 0, and what was said of it."""
    lines: dict[tuple[str, Item], Line] = {}
    for department in FIELD_DEPARTMENTS:
        for item in Item:
            key = (department, item)
            mine, other = ours.get(key, 0), theirs.get(key)
            state = LineState.AGREED if mine == other else LineState.DIFFERS
            compared_with = department if item in COUNTED_BY_DEPARTMENT else "finance"
            lines[key] = Line(department, item, compared_with, mine, other, state)
    for one in said:
        lines[one.department, one.item] = after(lines[one.department, one.item], one)
    return list(lines.values())


def after(line: Line, said: Said) -> Line:
    """The line after something was said of it. Raises RuleBroken when that is no step of its state."""
    state = LINE.move(line.state, said.step)
    match said.step:
        case LineStep.DISPUTE:
            return replace(line, state=state, reason=said.note, figure=None)
        case LineStep.SETTLE:
            return replace(line, state=state, figure=said.figure)
        case LineStep.ACCEPT:
            return replace(line, state=state)


def line_of(lines: Iterable[Line], department: str, item: Item) -> Line:
    """The line of that department and item. Raises NotFound."""
    for line in lines:
        if (line.department, line.item) == (department, item):
            return line
    raise NotFound("line", f"{department} {item}")


def check_figure(item: Item, figure: int) -> None:
    """Raises Malformed for fewer than no jobs or receipts; money net of refunds may be less than nothing [D13]."""
    if figure < 0 and item is not Item.RECEIVED_FEN:
        raise Malformed("figure_below_zero", f"{item} cannot be {figure}", rule="R41")


def check_accepts(line: Line, department: str) -> None:
    """Raises NotYourRole unless the department is the one the line is compared with: nobody accepts for it."""
    if department != line.compared_with:
        raise NotYourRole(
            "not_the_other_side",
            f"{line.department} {line.item} is compared with {line.compared_with}",
            rule="R41",
            allowed=[line.compared_with],
        )


def check_agreed(lines: Iterable[Line]) -> None:
    """Raises RuleBroken when a line is missing, differs or is disputed: nobody signs that."""
    unsettled = [
        f"{line.department} {line.item}: {line.ours} / {line.theirs} ({line.state})"
        for line in lines
        if line.state not in SIGNABLE
    ]
    if unsettled:
        raise RuleBroken(
            "statistics_differ",
            f"these lines do not agree: {'; '.join(unsettled)}",
            rule="R41",
            allowed=["ask_figures", *LineStep],
        )
