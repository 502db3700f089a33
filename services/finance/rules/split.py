"""50 / 35 / 15: how each fee is divided, to the fen, once, when it is received [R69-R72, D13-D15]."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.money import largest_remainder


@dataclass(frozen=True)
class SplitPolicy:
    """Parts of a hundred: the company's 公司留成, the workers' 提成, the reserve fund's 公积金."""

    company: int = 50
    workers: int = 35
    reserve: int = 15


@dataclass(frozen=True)
class Split:
    """A fee divided (fen); the three parts are the whole."""

    company_fen: int
    workers_fen: int
    reserve_fen: int


def split(total_fen: int, policy: SplitPolicy) -> Split:
    """Divide one job's fee [R70-R72]: 99 fen is 49 + 35 + 15; ties go to workers, then reserve, then company [D14]."""
    workers, reserve, company = largest_remainder(total_fen, [policy.workers, policy.reserve, policy.company])
    return Split(company, workers, reserve)


def share_among(workers_fen: int, weights: Mapping[UUID, int]) -> dict[UUID, int]:
    """Divide the workers' part by the weights the head set [D15]; ties go to the smaller id, so it is repeatable."""
    people = sorted(weights)
    return dict(zip(people, largest_remainder(workers_fen, [weights[person] for person in people]), strict=True))
