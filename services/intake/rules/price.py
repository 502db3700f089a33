"""A fee is agreed from the approved price book and from nowhere else [R18, R55-R57, D10]."""

from dataclasses import dataclass

from shared.errors import RuleBroken
from shared.money import format_fen


@dataclass(frozen=True)
class Price:
    """An item of the price book version in force: a fee lies from `min_fen` to `max_fen`."""

    version: int
    code: str
    trade: str
    name: str
    unit: str
    min_fen: int
    max_fen: int


def check_fee(price: Price | None, *, trade: str, code: str, fee_fen: int) -> Price:
    """The price the fee is agreed from. Raises RuleBroken when no approved item of that trade allows the fee."""
    if price is None or price.trade != trade:
        raise RuleBroken("no_approved_price", f"no approved price {code!r} for {trade} is in force", rule="R57")
    if not price.min_fen <= fee_fen <= price.max_fen:
        raise RuleBroken(
            "fee_outside_price",
            f"{format_fen(fee_fen)} is not the approved price of {price.name}",
            rule="R57",
            allowed=[f"{format_fen(price.min_fen)} to {format_fen(price.max_fen)}"],
        )
    return price
