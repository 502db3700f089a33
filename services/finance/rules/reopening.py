"""Reopening a month 重新开账 before it is approved: finance proposes, the leader decides, signatures are void [D18]."""

from enum import StrEnum

from services.finance.rules.settlement import SETTLEMENT, SettlementState, SettlementStep
from shared.errors import RuleBroken
from shared.states import Machine


class ReopeningState(StrEnum):
    """Where a proposal to reopen stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class ReopeningStep(StrEnum):
    """What can happen to it."""

    APPROVE = "approve"
    REJECT = "reject"


REOPENING = Machine[ReopeningState, ReopeningStep](
    "reopening",
    "D18",
    {
        (ReopeningState.PROPOSED, ReopeningStep.APPROVE): ReopeningState.APPROVED,
        (ReopeningState.PROPOSED, ReopeningStep.REJECT): ReopeningState.REJECTED,
    },
)

LOCKED = frozenset({SettlementState.APPROVED, SettlementState.RECEIVED})
"""Approved by the leader: what comes later falls into the open month."""


def reopened(state: SettlementState) -> SettlementState:
    """The state of a month that is reopened. Raises RuleBroken for one that is locked, or has nothing signed yet."""
    if state in LOCKED:
        raise RuleBroken(
            "month_is_locked",
            "an approved month is never reopened; a correction falls into the open month",
            rule="D16",
            allowed=["correct it in the open month"],
        )
    return SETTLEMENT.move(state, SettlementStep.REOPEN)
