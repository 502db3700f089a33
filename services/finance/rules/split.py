"""50 / 35 / 15: how each fee is divided, to the fen, once, when it is received [R69-R72, D13-D15]."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from shared.money import largest_remainder
from shared.policy import Policy

Percent = Annotated[int, Field(ge=0, le=100, strict=True)]


class SplitPolicy(Policy):
    """Parts of a hundred: the company's 公司留成, the workers' 提成, the reserve fund's 公积金."""

    decision = "D14"

    company: Percent = 50
    workers: Percent = 35
    reserve: Percent = 15

    @model_validator(mode="after")
    def _nothing_left_over(self) -> "SplitPolicy":
        if self.company + self.workers + self.reserve != 100:
            raise ValueError("company, workers and reserve must be 100 together")
        return self


@dataclass(frozen=True)
class Split:
    """A fee divided (fen); the three parts are the whole."""

    company_fen: int
    workers_fen: int
    reserve_fen: int


def weights_of(policy: SplitPolicy) -> list[int]:
    """The parts of workers, reserve and company, in the order in which ties are given [D14]."""
    return [policy.workers, policy.reserve, policy.company]


def split(total_fen: int, policy: SplitPolicy) -> Split:
    """Divide one job's fee [R70-R72]: 99 fen is 49 + 35 + 15; ties go to workers, then reserve, then company [D14]."""
    workers, reserve, company = largest_remainder(total_fen, weights_of(policy))
    return Split(company, workers, reserve)


def share_among(workers_fen: int, weights: Mapping[UUID, int]) -> dict[UUID, int]:
    """Divide the workers' part by the weights the head set [D15]; ties go to the smaller id, so it is repeatable."""
    people = sorted(weights)
    return dict(zip(people, largest_remainder(workers_fen, [weights[person] for person in people]), strict=True))
