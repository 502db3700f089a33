"""What the checks share: how they tell a difference, and the arithmetic and selections they are made of."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from bianmin.exports import Exports

Check = Iterator[str | None]
"""For every thing looked at, None or the sentence that says what is wrong with it."""


def same(what: str, left: object, right: object) -> str | None:
    """None when both are the same, else the sentence that says how they differ."""
    return None if left == right else f"{what}: {left} is not {right}"


def shared_out(total: int, weights: list[int]) -> list[int]:
    """Parts of `total` nearest to the exact shares: one fen at a time to whoever lacks most of his exact share."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in exact]
    while sum(parts) < total:
        lacking = max(range(len(parts)), key=lambda i: (exact[i] - parts[i], -i))
        parts[lacking] += 1
    return parts


def used_receipts(exports: Exports) -> list[Any]:
    """Receipts with which money was taken."""
    return [receipt for receipt in exports.receipts if receipt["state"] == "used"]


def paid_refunds(exports: Exports) -> list[Any]:
    """Refunds the leader approved, which are paid at once."""
    return [refund for refund in exports.refunds if refund["state"] == "approved"]


def first_orders(exports: Exports) -> dict[str, Any]:
    """The paid work order of each request."""
    return {order["request_id"]: order for order in exports.work_orders if order["round"] == 0}


def until_then(exports: Exports, day: str) -> bool:
    """Whether a day or month (RFC 3339) lies in the month audited or before it: what came later is still under way."""
    return day[:7] <= exports.month


def noticed_until_then(exports: Exports, number: str) -> bool:
    """Whether the notice of that number, like 'TZ-BK-20260401-0001', was issued in that month or before it."""
    day = number.split("-")[-2]
    return until_then(exports, f"{day[:4]}-{day[4:6]}")
