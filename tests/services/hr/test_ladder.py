"""The penalty ladders [R78-R83, R88, D19, D20]."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hr.rules.ladder import LadderPolicy, Offence, Penalty, PenaltyStep, penalty
from shared.errors import Malformed

POLICY = LadderPolicy()


def of(offence: Offence, earlier: int, *, in_working_hours: bool = True, amount_fen: int | None = None) -> Penalty:
    return penalty(offence, earlier=earlier, in_working_hours=in_working_hours, amount_fen=amount_fen, policy=POLICY)


@pytest.mark.parametrize(
    ("earlier", "step", "fine_fen"),
    [
        (0, PenaltyStep.FINE, 20000),
        (1, PenaltyStep.REMOVAL_FROM_POST, 0),
        (2, PenaltyStep.URGED_TO_RESIGN, 0),
    ],
)
def test_neglect_costs_200_then_the_post_then_the_job(earlier: int, step: PenaltyStep, fine_fen: int) -> None:
    assert of(Offence.NEGLECT, earlier) == Penalty(step, fine_fen, rung=earlier + 1)


@pytest.mark.parametrize(
    ("earlier", "step", "fine_fen"),
    [
        (0, PenaltyStep.FINE, 20000),
        (1, PenaltyStep.TRANSFER, 20000),
        (2, PenaltyStep.DISMISSAL, 0),
    ],
)
def test_a_private_job_in_working_hours_costs_200_then_200_and_a_transfer_then_the_job(
    earlier: int, step: PenaltyStep, fine_fen: int
) -> None:
    assert of(Offence.PRIVATE_JOB, earlier) == Penalty(step, fine_fen, rung=earlier + 1)


@given(earlier=st.integers(2, 1000), offence=st.sampled_from([Offence.NEGLECT, Offence.PRIVATE_JOB]))
def test_whoever_is_at_the_top_of_a_ladder_stays_there(earlier: int, offence: Offence) -> None:
    assert of(offence, earlier) == of(offence, 2)


@given(earlier=st.integers(0, 1000))
def test_a_private_job_outside_working_hours_is_a_warning_and_climbs_nothing(earlier: int) -> None:
    assert of(Offence.PRIVATE_JOB, earlier, in_working_hours=False) == Penalty(PenaltyStep.WARNING, 0, rung=None)


@given(earlier=st.integers(0, 1000), amount_fen=st.integers(1, 10**13))
def test_withheld_cash_costs_its_own_amount_each_time(earlier: int, amount_fen: int) -> None:
    assert of(Offence.WITHHELD_CASH, earlier, amount_fen=amount_fen) == Penalty(PenaltyStep.FINE, amount_fen)


def test_withheld_cash_without_an_amount_cannot_be_punished() -> None:
    with pytest.raises(Malformed, match="R88"):
        of(Offence.WITHHELD_CASH, 0)


def test_every_step_but_a_fine_needs_hr() -> None:
    assert {step for step in PenaltyStep if not Penalty(step).needs_hr} == {PenaltyStep.FINE}
