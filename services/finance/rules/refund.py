"""A refund 退款: finance proposes, the leader decides, and the three shares give back their part [D13, D14, D16]."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from services.finance.rules.split import Split
from shared.errors import RuleBroken
from shared.money import format_fen, largest_remainder
from shared.states import Machine


class RefundMethod(StrEnum):
    """How the owner is given his money: out of finance's till or from the bank, never out of a drawer [R87]."""

    CASH = "cash"
    BANK = "bank"


class RefundState(StrEnum):
    """Where a refund stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class RefundStep(StrEnum):
    """What can happen to a refund."""

    APPROVE = "approve"
    REJECT = "reject"


REFUND = Machine[RefundState, RefundStep](
    "refund",
    "D16",
    {
        (RefundState.PROPOSED, RefundStep.APPROVE): RefundState.APPROVED,
        (RefundState.PROPOSED, RefundStep.REJECT): RefundState.REJECTED,
    },
)


def check_with_finance(*, received: bool) -> None:
    """Raises RuleBroken while finance has not got the money: nobody pays out of cash he holds for it [R86, R87]."""
    if not received:
        raise RuleBroken(
            "not_with_finance",
            "finance has not got this receipt's money yet",
            rule="R87",
            allowed=["hand the cash over to finance"],
        )


def check_refundable(*, fee_fen: int, refunded_fen: int, amount_fen: int) -> None:
    """Raises RuleBroken when refunds of a receipt would be more than its fee [D16]."""
    left = fee_fen - refunded_fen
    if amount_fen > left:
        raise RuleBroken(
            "more_than_the_fee",
            f"{format_fen(amount_fen)} is more than what is left of the fee",
            rule="D16",
            allowed=[f"up to {format_fen(left)}"] if left else [],
        )


def check_till(*, till_fen: int, amount_fen: int) -> None:
    """Raises RuleBroken when finance's till of the site does not hold as much cash [R87]."""
    if amount_fen > till_fen:
        raise RuleBroken(
            "not_enough_cash",
            f"{format_fen(amount_fen)} is more than finance's till of this site holds",
            rule="R87",
            allowed=["bank", f"up to {format_fen(till_fen)}"],
        )


def parts_of(parts: Split, *, refunded_fen: int, amount_fen: int) -> Split:
    """What each of the three shares gives back [D16].

    The part of all refunds so far, this one included, less the part of those before: however a fee is refunded in
    pieces, they add up to what was given [D14].
    """
    weights = [parts.workers_fen, parts.reserve_fen, parts.company_fen]
    workers, reserve, company = _piece(refunded_fen, amount_fen, weights)
    return Split(company, workers, reserve)


def shares_of(shares: Mapping[UUID, int], *, before_fen: int, amount_fen: int) -> dict[UUID, int]:
    """What each worker gives back of the workers' part (`before_fen`: earlier refunds'), in the same way [D15]."""
    if not any(shares.values()):
        return {}
    people = sorted(shares)
    return dict(zip(people, _piece(before_fen, amount_fen, [shares[person] for person in people]), strict=True))


def _piece(before: int, amount: int, weights: list[int]) -> list[int]:
    so_far = largest_remainder(before + amount, weights)
    return [now - then for now, then in zip(so_far, largest_remainder(before, weights), strict=True)]
