"""A payout 发放: HR pays what finance computed and the leader approved, if it adds up [R92-R94]."""

from collections.abc import Sequence

from shared.errors import RuleBroken
from shared.messages import PayoutLine


def adds_up(line: PayoutLine) -> bool:
    """Whether net = share + reward - what the fine took of the bonus, and the wage bears the rest of it [R93, R94]."""
    return (
        line.net_fen == line.share_fen + line.reward_fen - line.from_bonus_fen
        and line.fine_fen == line.from_bonus_fen + line.from_wage_fen
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
