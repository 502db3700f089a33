"""State machines as tables: (state, step) -> state, and one `move()`."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from shared.errors import RuleBroken

State = TypeVar("State", bound=StrEnum)
Step = TypeVar("Step", bound=StrEnum)


class Machine(Generic[State, Step]):
    """The lawful steps of one kind of thing; a step that is not in the table is refused."""

    def __init__(self, thing: str, rule: str, table: Mapping[tuple[State, Step], State]) -> None:
        self.thing = thing
        self.rule = rule
        self.table = dict(table)

    def move(self, state: State, step: Step) -> State:
        """The state after `step`. Raises RuleBroken, naming the steps allowed in `state`."""
        try:
            return self.table[state, step]
        except KeyError:
            raise RuleBroken(
                "step_not_allowed",
                f"{self.thing} is {state}: it cannot {step}",
                rule=self.rule,
                allowed=self.steps_from(state),
            ) from None

    def allows(self, state: State, step: Step) -> bool:
        """Whether `step` is in the table for `state`."""
        return (state, step) in self.table

    def steps_from(self, state: State) -> list[str]:
        """The steps allowed in `state`, in the table's order."""
        return [str(step) for (start, step) in self.table if start == state]
