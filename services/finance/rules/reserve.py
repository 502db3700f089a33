"""The reserve fund 公积金 of a site: three uses, the desk proposes, the leader approves, never overdrawn [R72-R77]."""

from enum import StrEnum
from uuid import UUID

from shared.errors import Malformed, RuleBroken
from shared.money import format_fen
from shared.states import Machine


class Use(StrEnum):
    """What the fund may be used for: 奖励 [R73], 报损 [R74], 返修费用 [R75]; there is no other use."""

    REWARD = "reward"
    LOSS = "loss"
    REWORK = "rework"


class ProposalState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class ProposalStep(StrEnum):
    """What can happen to a proposal."""

    APPROVE = "approve"
    REJECT = "reject"


PROPOSAL = Machine[ProposalState, ProposalStep](
    "proposal",
    "R77",
    {
        (ProposalState.PROPOSED, ProposalStep.APPROVE): ProposalState.APPROVED,
        (ProposalState.PROPOSED, ProposalStep.REJECT): ProposalState.REJECTED,
    },
)


def check_person(use: Use, person_id: UUID | None) -> None:
    """Raises Malformed unless a reward, and nothing but a reward, names the person it is for [R73]."""
    if (use is Use.REWARD) != (person_id is not None):
        raise Malformed("person_and_use", "a reward names its person; a loss or rework names none", rule="R73")


def check_takes_part(role: str) -> None:
    """Raises RuleBroken for a worker: he has his share; a reward is for the others who took part 其他相关人员 [R73]."""
    if role == "worker":
        raise RuleBroken(
            "worker_has_a_share", "a worker has his share of the fee; a reward goes to others who took part", rule="R73"
        )


def check_cited(use: Use, *, damage_id: UUID | None, request_id: UUID | None) -> None:
    """Raises Malformed when something but a loss cites a damage, or something but a rework a request [R74, R75]."""
    if damage_id is not None and use is not Use.LOSS:
        raise Malformed("damage_and_use", "only a loss cites its damage", rule="R74")
    if request_id is not None and use is not Use.REWORK:
        raise Malformed("request_and_use", "only a rework cites its request", rule="R75")


def check_balance(*, balance_fen: int, amount_fen: int) -> None:
    """Raises RuleBroken when the fund does not hold as much [D17]."""
    if amount_fen > balance_fen:
        raise RuleBroken(
            "reserve_too_small",
            f"{format_fen(amount_fen)} is more than the fund holds",
            rule="D17",
            allowed=[f"up to {format_fen(balance_fen)}"],
        )
