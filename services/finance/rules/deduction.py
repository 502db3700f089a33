"""A fine is taken from the month's bonus first, the shortfall from the wage [R93, R94, D21]."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deduction:
    """Where a person's fines of a month come from, and what is left of his bonus (fen)."""

    from_bonus_fen: int
    from_wage_fen: int
    net_fen: int


def deduct(*, bonus_fen: int, fine_fen: int) -> Deduction:
    """Take the fine from the bonus as far as it goes, the rest from the wage."""
    from_bonus = min(fine_fen, bonus_fen)
    return Deduction(from_bonus, fine_fen - from_bonus, bonus_fen - from_bonus)
