"""Money is whole fen, and nothing of it is lost in dividing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import MAX_FEN, capital, format_fen, largest_remainder

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


CAPITALS = {
    0: "零元整",
    1: "壹分",
    10: "壹角整",
    105: "壹元零伍分",
    150: "壹元伍角整",
    1000: "壹拾元整",
    10005: "壹佰元零伍分",
    123450: "壹仟贰佰叁拾肆元伍角整",
    168032: "壹仟陆佰捌拾元叁角贰分",
    600700: "陆仟零柒元整",
    1005000: "壹万零伍拾元整",
    10700053: "壹拾万柒仟元伍角叁分",
    1000000100: "壹仟万零壹元整",
    100001000000: "壹拾亿零壹万元整",
    100000100000: "壹拾亿零壹仟元整",
    MAX_FEN: "壹仟亿元整",
    -12000: "负壹佰贰拾元整",
}


@pytest.mark.parametrize(("fen", "words"), CAPITALS.items())
def test_an_amount_in_capital_numerals_reads_as_on_a_voucher(fen: int, words: str) -> None:
    assert capital(fen) == words


DIGITS, PLACES = "零壹贰叁肆伍陆柒捌玖", {"拾": 10, "佰": 100, "仟": 1000}
GROUPS = {"万": 10**4, "亿": 10**8}


def read_capital(words: str) -> int:
    """The amount that capital numerals say, as a bank clerk adds it up."""
    sign, fen, part, digit = (-1 if words.startswith("负") else 1), 0, 0, 0
    yuan = 0
    for letter in words.removeprefix("负").removesuffix("整"):
        if letter in DIGITS:
            digit = DIGITS.index(letter)
        elif letter in PLACES:
            part, digit = part + digit * PLACES[letter], 0
        elif letter in GROUPS:
            yuan, part, digit = yuan + (part + digit) * GROUPS[letter], 0, 0
        elif letter == "元":
            fen, part, digit = (yuan + part + digit) * 100, 0, 0
        else:
            fen, digit = fen + digit * {"角": 10, "分": 1}[letter], 0
    return sign * fen


@given(
    st.integers(-MAX_FEN, MAX_FEN) | st.integers(0, 9).flatmap(lambda n: st.integers(0, 13).map(lambda p: n * 10**p))
)
def test_capital_numerals_say_exactly_the_amount_and_leave_no_room_for_another(fen: int) -> None:
    words = capital(fen)
    assert read_capital(words) == fen
    assert words.endswith("分") == (fen % 10 != 0)
    assert words.endswith("整") == (fen % 10 == 0)
    assert "零零" not in words
    assert not {f"零{place}" for place in "拾佰仟万亿角分整"} & {words[i : i + 2] for i in range(len(words))}
    assert ("零元" in words) == (fen == 0)
