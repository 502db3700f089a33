"""A deposit 存款: cash of finance's till goes to the bank, whole or in part; it is not spent from the till [R87]."""

from shared.errors import RuleBroken
from shared.money import format_fen


def check_in_till(*, till_fen: int, amount_fen: int) -> None:
    """Raises RuleBroken when finance's till of the site does not hold as much cash [R87]."""
    if amount_fen > till_fen:
        raise RuleBroken(
            "not_enough_cash",
            f"{format_fen(amount_fen)} is more than finance's till of this site holds",
            rule="R87",
            allowed=[f"up to {format_fen(till_fen)}"] if till_fen > 0 else [],
        )


def check_new(reference: str, *, known: bool) -> None:
    """Raises RuleBroken when the bank's slip of this number was recorded for the site before [R87]."""
    if known:
        raise RuleBroken("deposited_already", f"the bank's slip {reference} is recorded already", rule="R87")
