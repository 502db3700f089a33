"""The price book 收费标准: drafted by finance, approved by the leader in charge, from a date on [R55-R57, D10]."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.errors import Malformed, RuleBroken
from shared.messages import PriceItem
from shared.money import format_fen
from shared.states import Machine


class PriceState(StrEnum):
    """Where a version of the price book stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class PriceStep(StrEnum):
    """What can happen to a version."""

    APPROVE = "approve"
    WITHDRAW = "withdraw"


PRICE_VERSION = Machine[PriceState, PriceStep](
    "price version",
    "R56",
    {
        (PriceState.DRAFT, PriceStep.APPROVE): PriceState.APPROVED,
        (PriceState.DRAFT, PriceStep.WITHDRAW): PriceState.WITHDRAWN,
    },
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


def check_effective(*, effective_from: date, today: date) -> None:
    """Raises RuleBroken for a version that would have held before it was approved [R56, D10]."""
    if effective_from < today:
        raise RuleBroken(
            "effective_in_the_past",
            f"{effective_from} is over: fees agreed since then would change behind the owners' backs",
            rule="D10",
            allowed=[f"a version from {today} on"],
        )


@dataclass(frozen=True)
class ChangedItem:
    """A line of the price book before and after."""

    before: PriceItem
    after: PriceItem


@dataclass(frozen=True)
class Difference:
    """What a version of the price book changes, by code."""

    added: list[PriceItem]
    removed: list[PriceItem]
    changed: list[ChangedItem]


def difference(before: Sequence[PriceItem], after: Sequence[PriceItem]) -> Difference:
    """What the leader is asked to approve: the new version against the one it follows [R56]."""
    old, new = {item.code: item for item in before}, {item.code: item for item in after}
    return Difference(
        added=[new[code] for code in sorted(new.keys() - old.keys())],
        removed=[old[code] for code in sorted(old.keys() - new.keys())],
        changed=[
            ChangedItem(old[code], new[code]) for code in sorted(old.keys() & new.keys()) if old[code] != new[code]
        ],
    )
