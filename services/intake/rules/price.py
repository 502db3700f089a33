"""A fee is agreed from the approved price book and from nowhere else [R18, R55-R57, D10]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Malformed, RuleBroken
from shared.messages import FeeItem
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


@dataclass(frozen=True)
class Wanted:
    """An item the owner agrees to: how many of it, and the price of one (fen)."""

    code: str
    quantity: int
    unit_fen: int


def fee_item(price: Price | None, wanted: Wanted, *, trade: str) -> FeeItem:
    """One line of the settlement list. Raises RuleBroken when no approved item of that trade allows its price."""
    if price is None or price.trade != trade:
        raise RuleBroken("no_approved_price", f"no approved price {wanted.code!r} for {trade} is in force", rule="R57")
    if not price.min_fen <= wanted.unit_fen <= price.max_fen:
        raise RuleBroken(
            "fee_outside_price",
            f"{format_fen(wanted.unit_fen)} is not the approved price of {price.name}",
            rule="R57",
            allowed=[f"{format_fen(price.min_fen)} to {format_fen(price.max_fen)}"],
        )
    return FeeItem(
        code=price.code,
        name=price.name,
        unit=price.unit,
        quantity=wanted.quantity,
        unit_fen=wanted.unit_fen,
        amount_fen=wanted.quantity * wanted.unit_fen,
    )


def settlement_list(book: Mapping[str, Price], wanted: Sequence[Wanted], *, trade: str) -> list[FeeItem]:
    """The settlement list 结算清单 of what was agreed; the fee is the sum of its amounts [R18, R55-R57, D10].

    Raises Malformed when a code is named twice, RuleBroken when the price book does not allow a line.
    """
    codes = [one.code for one in wanted]
    if len(set(codes)) < len(codes):
        raise Malformed("item_twice", "each item is named once, with its quantity", rule="R57")
    return [fee_item(book.get(one.code), one, trade=trade) for one in wanted]


def stored_items(stored: Sequence[Any]) -> list[FeeItem]:
    """A settlement list as it is kept in JSON."""
    return [FeeItem.model_validate(item) for item in stored]


def fee_of(items: Sequence[FeeItem]) -> int:
    """The fee (fen)."""
    return sum(item.amount_fen for item in items)
