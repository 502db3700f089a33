"""Who holds the cash: worker → desk → finance, each link counted by the one who receives it [R36, R84-R87, D5]."""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import RuleBroken
from shared.money import format_fen
from shared.states import Machine


class HandOverState(StrEnum):
    """Where a hand-over 交款 stands."""

    OFFERED = "offered"
    COUNTED = "counted"
    WITHDRAWN = "withdrawn"


class HandOverStep(StrEnum):
    """What can happen to a hand-over."""

    COUNT = "count"
    WITHDRAW = "withdraw"


HAND_OVER = Machine[HandOverState, HandOverStep](
    "hand-over",
    "R36",
    {
        (HandOverState.OFFERED, HandOverStep.COUNT): HandOverState.COUNTED,
        (HandOverState.OFFERED, HandOverStep.WITHDRAW): HandOverState.WITHDRAWN,
    },
)

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


def check_counted(*, amount_fen: int, counted_fen: int) -> None:
    """Raises RuleBroken unless the receiver counted what was offered: a difference moves nothing [R86]."""
    if counted_fen != amount_fen:
        raise RuleBroken(
            "count_differs",
            f"{format_fen(counted_fen)} was counted, {format_fen(amount_fen)} was offered",
            rule="R86",
            allowed=["count", "withdraw"],
        )
