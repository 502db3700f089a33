"""The settlement 结算 of a site's month: closed, agreed, computed, approved, received by HR [R89-R92, D18]."""

from enum import StrEnum

from shared.errors import RuleBroken
from shared.money import format_fen
from shared.policy import Minutes, Policy
from shared.states import Machine


class MonthClosePolicy(Policy):
    """How long after closing time of its last day a month is over: the daily cash check comes first."""

    decision = "D18"

    minutes_after_closing: Minutes = 30


class SettlementState(StrEnum):
    """Where a month's settlement stands."""

    OPEN = "open"
    CLOSED = "closed"
    AGREED = "agreed"
    COMPUTED = "computed"
    APPROVED = "approved"
    RECEIVED = "received"


class SettlementStep(StrEnum):
    """What can happen to a settlement; `sign` is the first of the two signatures, `agree` the second."""

    CLOSE = "close"
    SIGN = "sign"
    AGREE = "agree"
    COMPUTE = "compute"
    APPROVE = "approve"
    RECEIVE = "receive"
    REOPEN = "reopen"


SETTLEMENT = Machine[SettlementState, SettlementStep](
    "settlement",
    "R90",
    {
        (SettlementState.OPEN, SettlementStep.CLOSE): SettlementState.CLOSED,
        (SettlementState.CLOSED, SettlementStep.SIGN): SettlementState.CLOSED,
        (SettlementState.CLOSED, SettlementStep.AGREE): SettlementState.AGREED,
        (SettlementState.AGREED, SettlementStep.COMPUTE): SettlementState.COMPUTED,
        (SettlementState.COMPUTED, SettlementStep.COMPUTE): SettlementState.COMPUTED,
        (SettlementState.COMPUTED, SettlementStep.APPROVE): SettlementState.APPROVED,
        (SettlementState.APPROVED, SettlementStep.RECEIVE): SettlementState.RECEIVED,
        (SettlementState.AGREED, SettlementStep.REOPEN): SettlementState.CLOSED,
        (SettlementState.COMPUTED, SettlementStep.REOPEN): SettlementState.CLOSED,
    },
)


def check_accounts_ready(*, statistics_agreed: bool, unclosed_days: int) -> None:
    """Raises RuleBroken, naming what is to come first, when accounts cannot be agreed yet [R41, R90, D18]."""
    missing = []
    if not statistics_agreed:
        missing.append("sign the month's statistics")
    if unclosed_days:
        missing.append("close the cash of every day")
    if missing:
        raise RuleBroken("accounts_not_ready", f"first: {'; '.join(missing)}", rule="R90", allowed=missing)


def check_received(*, ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    """Raises RuleBroken unless HR holds as many lines and as much net pay (fen) as were approved [R92]."""
    if ours != theirs:
        raise RuleBroken(
            "hr_holds_another_payout",
            f"approved: {ours[0]} lines, {format_fen(ours[1])}; received: {theirs[0]} lines, {format_fen(theirs[1])}",
            rule="R92",
        )


def check_paid(*, net_fen: int, paid_fen: int) -> None:
    """Raises RuleBroken unless a person was paid exactly his net of the payout (fen) [R92]."""
    if paid_fen != net_fen:
        raise RuleBroken(
            "paid_differently",
            f"{format_fen(paid_fen)} was paid, {format_fen(net_fen)} is due",
            rule="R92",
            allowed=[format_fen(net_fen)],
        )
