"""A charge is what a job costs its owner, from the notice to the fee: exactly the fee agreed [R18, R33, R57]."""

from collections.abc import Sequence
from enum import StrEnum

from shared.errors import RuleBroken
from shared.money import format_fen
from shared.states import Machine


class ChargeState(StrEnum):
    """Where a charge stands."""

    NOTICED = "noticed"
    ACCEPTED = "accepted"
    COLLECTED = "collected"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


class ChargeStep(StrEnum):
    """What can happen to a charge."""

    ACCEPT = "accept"
    TERMINATE = "terminate"
    CANCEL = "cancel"
    COLLECT = "collect"


CHARGE = Machine[ChargeState, ChargeStep](
    "charge",
    "R33",
    {
        (ChargeState.NOTICED, ChargeStep.ACCEPT): ChargeState.ACCEPTED,
        (ChargeState.NOTICED, ChargeStep.TERMINATE): ChargeState.TERMINATED,
        (ChargeState.NOTICED, ChargeStep.CANCEL): ChargeState.CANCELLED,
        # the owner signed: a withdrawal that reached the department too late comes to nothing [R32]
        (ChargeState.CANCELLED, ChargeStep.ACCEPT): ChargeState.ACCEPTED,
        (ChargeState.ACCEPTED, ChargeStep.COLLECT): ChargeState.COLLECTED,
    },
)

SIGNED = frozenset({ChargeState.ACCEPTED, ChargeState.COLLECTED})
"""The owner's signature is known."""

NEVER_BILLED = frozenset({ChargeState.TERMINATED, ChargeState.CANCELLED})
"""Nothing is to be paid [D24]."""

PAYABLE = frozenset({ChargeState.NOTICED, ChargeState.ACCEPTED})
"""The fee is still to come: a receipt may be carried to the owner [R35]."""


def check_amount(*, fee_fen: int, amount_fen: int) -> None:
    """Raises RuleBroken unless exactly the agreed fee is taken: no more, no less, no part of it [R33, R57]."""
    if amount_fen != fee_fen:
        raise RuleBroken(
            "amount_differs",
            f"{format_fen(amount_fen)} is not the agreed fee",
            rule="R33, R57",
            allowed=[format_fen(fee_fen)],
        )


def check_weights(weights: Sequence[int]) -> None:
    """Raises RuleBroken when nobody could be given the workers' part of the fee [R71, D15]."""
    if not weights or min(weights) < 1:
        raise RuleBroken("nobody_to_share", "a job needs workers, each with a weight of 1 or more", rule="D15")
