"""The price book 收费标准: drafted by finance, approved by the leader in charge, from a date on [R55-R57, D10]."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from shared.errors import Malformed
from shared.messages import PriceItem
from shared.money import format_fen
from shared.states import Machine


class PriceState(StrEnum):
    """Where a version of the price book stands."""

    DRAFT = "draft"
    APPROVED = "approved"


class PriceStep(StrEnum):
    """What can happen to a version."""

    APPROVE = "approve"


PRICE_VERSION = Machine[PriceState, PriceStep](
    "price version", "R56", {(PriceState.DRAFT, PriceStep.APPROVE): PriceState.APPROVED}
)


def check_items(items: Sequence[PriceItem]) -> None:
    """Raises Malformed unless every code is there once and every range runs upwards."""
    twice = [code for code, times in Counter(item.code for item in items).items() if times > 1]
    if twice:
        raise Malformed("code_twice", f"these codes are there more than once: {', '.join(twice)}", rule="R55")
    for item in items:
        if item.min_fen > item.max_fen:
            raise Malformed(
                "range_is_empty",
                f"{item.code}: {format_fen(item.min_fen)} is more than {format_fen(item.max_fen)}",
                rule="R55",
            )
