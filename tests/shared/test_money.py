"""Money is whole fen, and nothing of it is lost in dividing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import format_fen, largest_remainder

weights = st.lists(st.integers(0, 100), min_size=1, max_size=20).filter(any)


@given(st.integers(-(10**12), 10**12), weights)
def test_parts_sum_to_the_total_and_each_is_within_one_fen(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@given(st.integers(0, 10**9), weights)
def test_who_has_no_weight_gets_nothing_and_a_reversal_takes_back_what_was_given(
    total: int, weights: list[int]
) -> None:
    parts = largest_remainder(total, weights)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    assert largest_remainder(-total, weights) == [-part for part in parts]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_weights_that_mean_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"not all 0"):
        largest_remainder(100, weights)


@pytest.mark.parametrize(("fen", "text"), [(123450, "¥1,234.50"), (-5, "-¥0.05"), (0, "¥0.00")])
def test_an_amount_reads_as_people_write_it(fen: int, text: str) -> None:
    assert format_fen(fen) == text
