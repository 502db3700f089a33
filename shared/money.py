"""Money is a whole number of fen (分); one yuan (元) is 100 fen. There is no float anywhere."""

from typing import Annotated

from pydantic import Field

MAX_FEN = 10**13
"""The largest amount accepted: 100 billion yuan, well inside a bigint and a JSON number."""

PositiveFen = Annotated[int, Field(gt=0, le=MAX_FEN, strict=True, description="fen (1/100 yuan), more than 0")]


def format_fen(fen: int) -> str:
    """The amount as people read it: 123450 -> '¥1,234.50', -5 -> '-¥0.05'."""
    yuan, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}¥{yuan:,}.{cents:02d}"


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """Divide `total` fen by `weights` so that the parts sum to it exactly [D14, D15].

    Every part first gets the whole fen of its exact share; the fen left over go one each to the largest
    fractions, and between equal fractions to the earlier weight. A negative total is split as its mirror
    image, so that a reversal takes back exactly what was given.

    Raises ValueError when a weight is negative or all are zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"weights must be 0 or more and not all 0, got {weights}")
    if total < 0:
        return [-part for part in largest_remainder(-total, weights)]
    parts = [total * weight // whole for weight in weights]
    by_fraction = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_fraction[: total - sum(parts)]:
        parts[i] += 1
    return parts


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def capital(fen: int) -> str:
    """The amount in the capital numerals 大写 of vouchers: 123450 -> '壹仟贰佰叁拾肆元伍角整', 105 -> '壹元零伍分'.

    Zeros between digits are one 零; 整 closes what has no fen; less than nothing begins with 负.
    """
    yuan, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    words = _whole(yuan) + "元" if yuan else ""
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif cents and yuan:
        words += "零"
    words += _DIGITS[cents] + "分" if cents else "整"
    return ("负" if fen < 0 else "") + (words if fen else "零元整")


def _whole(yuan: int) -> str:
    """A number of yuan, in groups of four digits: one 零 stands for any number of zeros between two digits."""
    words, skipped = "", False
    for place in range(len(str(yuan)) - 1, -1, -1):
        digit = yuan // 10**place % 10
        if digit:
            words += ("零" if skipped and words else "") + _DIGITS[digit] + _PLACES[place % 4]
        skipped = not digit
        if place % 4 == 0 and yuan // 10**place % 10**4:
            words += _GROUPS[place // 4]
            skipped = False
    return words
