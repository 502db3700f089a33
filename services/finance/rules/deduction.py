"""A fine is taken from the month's bonus first, the shortfall from the wage, as far as the guard lets it [R93, R94].

The guard is the law on deductions (工资支付暂行规定, article 16) as the company reads it [D22].
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from services.finance.rules.split import Percent
from shared.messages import Guard
from shared.money import MAX_FEN
from shared.policy import Policy


class GuardPolicy(Policy):
    """What fines may take of a month's wage: a part of it, and never what would leave less than the minimum wage.

    Beyond that `warn` tells the approver, `cap` carries the rest to the next month, `off` says nothing.
    """

    decision = "D22"

    mode: Literal["off", "warn", "cap"] = "warn"
    percent: Percent = 20
    minimum_wage_fen: Annotated[int, Field(ge=0, le=MAX_FEN, strict=True)] = 2690_00


@dataclass(frozen=True)
class Deduction:
    """Where a person's fines of a month come from, what waits for the next month, and what is left to pay (fen)."""

    from_bonus_fen: int
    from_wage_fen: int
    carried_fen: int
    guard: Guard
    share_carried_fen: int
    net_fen: int


def deduct(
    *, bonus_fen: int, fine_fen: int, wage_fen: int | None, policy: GuardPolicy, borne_fen: int = 0
) -> Deduction:
    """Take the fine from the bonus as far as it goes, then from the wage as far as the guard lets it [D21, D22].

    `wage_fen` is None when hr has not told it; `borne_fen` is what the same wage bears for other sites already. A
    bonus below nothing, because refunds took more than was earned, is paid as nothing and carried [D16].
    """
    bonus = max(0, bonus_fen)
    from_bonus = min(fine_fen, bonus)
    shortfall = fine_fen - from_bonus
    guard, carried = _guarded(shortfall, wage_fen, borne_fen, policy)
    return Deduction(
        from_bonus_fen=from_bonus,
        from_wage_fen=shortfall - carried,
        carried_fen=carried,
        guard=guard,
        share_carried_fen=bonus - bonus_fen,
        net_fen=bonus - from_bonus,
    )


def _guarded(shortfall_fen: int, wage_fen: int | None, borne_fen: int, policy: GuardPolicy) -> tuple[Guard, int]:
    """What the guard says, and how much it carries to the next month."""
    if policy.mode == "off" or not shortfall_fen:
        return "", 0
    caps = policy.mode == "cap"
    if wage_fen is None:
        return "wage_unknown", shortfall_fen if caps else 0
    bearable = min(wage_fen * policy.percent // 100, wage_fen - policy.minimum_wage_fen) - borne_fen
    beyond = shortfall_fen - max(0, bearable)
    if beyond <= 0:
        return "", 0
    return ("capped", beyond) if caps else ("exceeds", 0)
