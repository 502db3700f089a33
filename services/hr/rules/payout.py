"""A payout 发放: HR pays what finance computed and the leader approved, if it adds up [R92-R94]."""

from collections.abc import Sequence
from enum import StrEnum

from shared.errors import Malformed, RuleBroken
from shared.messages import PayoutLine
from shared.states import Machine


class PaymentState(StrEnum):
    """Where the payment of one person's line stands: 待发放, 发放失败, 已发放, 无需发放."""

    DUE = "due"
    FAILED = "failed"
    PAID = "paid"
    NOTHING_TO_PAY = "nothing_to_pay"


class PaymentStep(StrEnum):
    """What HR tells of it."""

    PAY = "pay"
    FAIL = "fail"


PAYMENT = Machine[PaymentState, PaymentStep](
    "payment",
    "R92",
    {
        (PaymentState.DUE, PaymentStep.PAY): PaymentState.PAID,
        (PaymentState.DUE, PaymentStep.FAIL): PaymentState.FAILED,
        (PaymentState.FAILED, PaymentStep.PAY): PaymentState.PAID,
        (PaymentState.FAILED, PaymentStep.FAIL): PaymentState.FAILED,
    },
)


def begins_as(net_fen: int) -> PaymentState:
    """A line whose fines took the whole bonus leaves nothing to pay, and is settled by that [R92, R93]."""
    return PaymentState.DUE if net_fen > 0 else PaymentState.NOTHING_TO_PAY


def adds_up(line: PayoutLine) -> bool:
    """Whether net = share + reward - what the fine took of the bonus [R93].

    The rest of the fine is borne by the wage [R94], or carried to the next month where the guard says so [D22].
    """
    return (
        line.net_fen == line.share_fen + line.reward_fen - line.from_bonus_fen
        and line.fine_fen == line.from_bonus_fen + line.from_wage_fen + line.carried_fen
    )


def check_payout(lines: Sequence[PayoutLine], *, net_fen: int, from_wage_fen: int) -> None:
    """Raises RuleBroken unless each person has one line that adds up, and the lines add up to the totals [R92]."""
    if len({line.person_id for line in lines}) != len(lines):
        raise RuleBroken("person_twice", "a person has more than one line in the payout", rule="R92")
    wrong = [str(line.person_id) for line in lines if not adds_up(line)]
    if wrong:
        raise RuleBroken("line_does_not_add_up", f"lines of {', '.join(wrong)} do not add up", rule="R93")
    sums = sum(line.net_fen for line in lines), sum(line.from_wage_fen for line in lines)
    if sums != (net_fen, from_wage_fen):
        raise RuleBroken("totals_differ", f"lines sum to {sums}, not to {(net_fen, from_wage_fen)} fen", rule="R92")


def check_result(*, paid: bool, failed: bool) -> None:
    """Raises Malformed unless a row says one of the two: the reference it was paid under, or why it failed."""
    if paid == failed:
        raise Malformed("half_a_result", "a row has a reference, or a cause and a reason", rule="R92")
