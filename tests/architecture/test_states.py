"""State machines: drawn as they are, and every step that is not in a table is refused."""

from typing import Any

import pytest

from shared.errors import RuleBroken
from shared.states import Machine
from tests.architecture.states import PAGE, drawn, machines

MACHINES = [pytest.param(machine, id=f"{service}-{machine.thing}") for service, _, machine in machines()]


def test_the_page_of_state_machines_is_drawn_from_the_tables_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == drawn()


@pytest.mark.parametrize("machine", MACHINES)
def test_every_pair_of_state_and_step_is_in_the_table_or_refused_with_what_is_allowed(
    machine: Machine[Any, Any],
) -> None:
    states = type(next(iter(machine.table))[0])
    steps = type(next(iter(machine.table))[1])
    for state in states:
        for step in steps:
            if (state, step) in machine.table:
                assert machine.move(state, step) == machine.table[state, step]
            else:
                with pytest.raises(RuleBroken) as refused:
                    machine.move(state, step)
                assert list(refused.value.allowed) == machine.steps_from(state)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_step_there_is_can_be_taken_from_some_state(machine: Machine[Any, Any]) -> None:
    steps = type(next(iter(machine.table))[1])
    assert {step for _, step in machine.table} == set(steps)
