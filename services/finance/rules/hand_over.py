"""A hand-over 交款: worker → desk → finance, each link counted by the one who receives it [R36, R84-R87, D5]."""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import Malformed, RuleBroken
from shared.states import Machine


class HandOverState(StrEnum):
    """Where a hand-over 交款 stands."""

    OFFERED = "offered"
    DIFFERS = "differs"
    STATED = "stated"
    COUNTED = "counted"
    WITHDRAWN = "withdrawn"


class HandOverStep(StrEnum):
    """What can happen to a hand-over."""

    COUNT = "count"
    COUNT_DIFFERENT = "count_different"
    SETTLE_DIFFERENCE = "settle_difference"
    CONFIRM_DIFFERENCE = "confirm_difference"
    WITHDRAW = "withdraw"


HAND_OVER = Machine[HandOverState, HandOverStep](
    "hand-over",
    "R36",
    {
        (HandOverState.OFFERED, HandOverStep.COUNT): HandOverState.COUNTED,
        # nothing moves until both have put their names to what is missing, or the giver takes it back
        (HandOverState.OFFERED, HandOverStep.COUNT_DIFFERENT): HandOverState.DIFFERS,
        (HandOverState.DIFFERS, HandOverStep.SETTLE_DIFFERENCE): HandOverState.STATED,
        (HandOverState.STATED, HandOverStep.CONFIRM_DIFFERENCE): HandOverState.COUNTED,
        (HandOverState.OFFERED, HandOverStep.WITHDRAW): HandOverState.WITHDRAWN,
        (HandOverState.DIFFERS, HandOverStep.WITHDRAW): HandOverState.WITHDRAWN,
        (HandOverState.STATED, HandOverStep.WITHDRAW): HandOverState.WITHDRAWN,
    },
)


OPEN = frozenset({HandOverState.OFFERED, HandOverState.DIFFERS, HandOverState.STATED})
"""The cash is still in the giver's hands."""


FINANCE = frozenset({"cashier", "finance_lead"})
"""Cash counted by one of these is with finance, and nobody's any more."""


RECEIVERS: Mapping[str, frozenset[str]] = {
    "worker": frozenset({"clerk", "desk_head"}),
    "clerk": FINANCE,
    "desk_head": FINANCE,
}
"""Giver's role -> roles that may receive from him."""


def check_receiver(giver_role: str, receiver_role: str) -> None:
    """Raises RuleBroken unless the receiver is the giver's next link in the chain [R84, R85]."""
    receivers = RECEIVERS[giver_role]
    if receiver_role not in receivers:
        raise RuleBroken(
            "not_next_in_chain",
            f"a {giver_role} does not hand cash to a {receiver_role}",
            rule="R84",
            allowed=sorted(receivers),
        )


DENOMINATIONS = (10000, 5000, 2000, 1000, 500, 100, 50, 10, 5, 2, 1)
"""Notes and coins of the renminbi that circulate (fen)."""


def counted(*, counted_fen: int | None, notes: Mapping[int, int] | None) -> int:
    """What the receiver counted (fen), as a sum or note by note: fen of a note or coin -> pieces [R85].

    Raises Malformed unless it is one of both, in money that circulates.
    """
    if (counted_fen is None) == (notes is None):
        raise Malformed("one_count", "send counted_fen or notes, one of both", rule="R85")
    if notes is None:
        return counted_fen or 0
    if unknown := set(notes) - set(DENOMINATIONS):
        raise Malformed(
            "no_such_note",
            f"there is no note or coin of {', '.join(str(fen) for fen in sorted(unknown))} fen",
            rule="R85",
            allowed=[str(fen) for fen in DENOMINATIONS],
        )
    return sum(fen * pieces for fen, pieces in notes.items())


def count_step(*, amount_fen: int, counted_fen: int) -> HandOverStep:
    """The receiver counts before he is told what to expect: what differs moves nothing [R85, R86]."""
    return HandOverStep.COUNT if counted_fen == amount_fen else HandOverStep.COUNT_DIFFERENT


def check_cannot_offer(*, active: bool, at_site: bool, role: str) -> None:
    """Raises RuleBroken while a person can hand over his cash himself: finance takes only what he no longer can."""
    if active and at_site and role in RECEIVERS:
        raise RuleBroken(
            "can_hand_over_himself",
            "he works at this site and hands over his cash himself",
            rule="R84",
            allowed=["offer"],
        )
