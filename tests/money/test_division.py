"""Dividing a fee and taking a fine, over as many cases as one likes: `make nightly` tries 100,000 of each [D14, D21].

What is found here is found again by the seed that hypothesis prints; its examples are kept in .hypothesis.
"""

from fractions import Fraction
from itertools import pairwise, permutations
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.finance.rules.deduction import GuardPolicy, deduct
from services.finance.rules.split import SplitPolicy, share_among, split
from shared.money import MAX_FEN, largest_remainder
from tests.cases import cases

many = settings(max_examples=cases(5000), deadline=None)

FEN = st.integers(0, MAX_FEN) | st.integers(0, 300)
WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=10).filter(any)
PEOPLE = st.dictionaries(st.uuids(), st.integers(0, 1000), min_size=1, max_size=6).filter(lambda w: any(w.values()))
POLICIES = st.integers(0, 100).flatmap(
    lambda company: st.integers(0, 100 - company).map(
        lambda workers: SplitPolicy(company=company, workers=workers, reserve=100 - company - workers)
    )
)


@many
@given(st.integers(-MAX_FEN, MAX_FEN) | st.integers(-300, 300), WEIGHTS)
def test_parts_are_the_whole_and_each_is_the_fen_below_or_above_its_exact_part(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(total * weight, sum(weights))
        assert abs(part - exact) < 1
        if exact.denominator == 1:
            assert part == exact
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)
    assert largest_remainder(-total, weights) == [-part for part in parts]


@many
@given(FEN, WEIGHTS, st.integers(1, 10**6))
def test_more_weight_or_more_to_divide_never_gives_less_but_for_the_odd_fen_of_the_largest_remainders(
    total: int, weights: list[int], more: int
) -> None:
    parts, whole = largest_remainder(total, weights), sum(weights)
    ordered = sorted(zip(weights, parts, strict=True))
    assert all(lighter == heavier or less <= larger for (lighter, less), (heavier, larger) in pairwise(ordered))
    odd: dict[int, list[int]] = {0: [], 1: []}
    for weight, part in zip(weights, parts, strict=True):
        odd[part - total * weight // whole].append(total * weight % whole)
    assert not odd[0] or not odd[1] or min(odd[1]) >= max(odd[0])
    growth = [after - before for before, after in zip(parts, largest_remainder(total + more, weights), strict=True)]
    assert min(growth) >= (0 if more >= whole else -1)


@many
@given(FEN, POLICIES)
def test_a_fee_is_divided_whole_whatever_the_policy_and_ties_go_to_workers_then_reserve(
    total: int, policy: SplitPolicy
) -> None:
    parts = split(total, policy)
    three = {"workers": parts.workers_fen, "reserve": parts.reserve_fen, "company": parts.company_fen}
    assert sum(three.values()) == total
    extra = {}
    for name, fen in three.items():
        percent = getattr(policy, name)
        assert abs(fen * 100 - total * percent) < 100
        assert percent or not fen
        extra[name] = (total * percent % 100, fen - total * percent // 100)
    for winner, loser in (("workers", "reserve"), ("workers", "company"), ("reserve", "company")):
        if extra[winner][0] == extra[loser][0]:
            assert extra[winner][1] >= extra[loser][1]


@many
@given(FEN, PEOPLE, st.randoms(use_true_random=False))
def test_the_workers_part_is_the_same_in_whatever_order_the_workers_are_told(
    total: int, weights: dict[UUID, int], luck
) -> None:
    told = list(weights.items())
    luck.shuffle(told)
    shares = share_among(total, dict(told))
    assert shares == share_among(total, weights)
    assert (set(shares), sum(shares.values())) == (set(weights), total)
    for person, weight in weights.items():
        assert abs(shares[person] * sum(weights.values()) - total * weight) < sum(weights.values())
        assert weight or not shares[person]
    for (one, weight), (other, lighter) in permutations(weights.items(), 2):
        if weight > lighter:
            assert shares[one] >= shares[other]
        elif weight == lighter and one < other:
            assert shares[one] - shares[other] in (0, 1)


GUARDS = st.builds(
    GuardPolicy,
    mode=st.sampled_from(["off", "warn", "cap"]),
    percent=st.integers(0, 100),
    minimum_wage_fen=st.integers(0, 500000) | st.integers(0, MAX_FEN),
)
WAGES = st.none() | st.integers(0, 2000000) | st.integers(0, MAX_FEN)
SMALL = st.integers(0, 500000) | st.integers(0, MAX_FEN)


@many
@given(st.integers(-500000, 500000) | st.integers(-MAX_FEN, MAX_FEN), SMALL, WAGES, SMALL, GUARDS)
def test_a_fine_is_taken_from_the_bonus_first_then_from_the_wage_and_the_rest_is_carried(
    bonus: int, fine: int, wage: int | None, borne: int, policy: GuardPolicy
) -> None:
    taken = deduct(bonus_fen=bonus, fine_fen=fine, wage_fen=wage, borne_fen=borne, policy=policy)
    assert taken == deduct(bonus_fen=bonus, fine_fen=fine, wage_fen=wage, borne_fen=borne, policy=policy)
    assert taken.from_bonus_fen + taken.from_wage_fen + taken.carried_fen == fine
    assert min(taken.from_bonus_fen, taken.from_wage_fen, taken.carried_fen, taken.net_fen) >= 0
    assert taken.from_bonus_fen == min(fine, max(0, bonus))
    assert taken.net_fen == max(0, bonus) - taken.from_bonus_fen
    assert taken.net_fen == 0 or taken.from_wage_fen == taken.carried_fen == 0
    assert taken.share_carried_fen == max(0, -bonus)
    if policy.mode != "cap":
        assert taken.carried_fen == 0
    if policy.mode == "off" or fine == taken.from_bonus_fen:
        assert taken.guard == ""
    elif wage is None:
        assert taken.guard == "wage_unknown"
        assert taken.carried_fen == (fine - taken.from_bonus_fen if policy.mode == "cap" else 0)
    else:

        def within(fen: int) -> bool:
            return fen * 100 <= wage * policy.percent and wage - fen >= policy.minimum_wage_fen

        shortfall = fine - taken.from_bonus_fen
        assert (taken.guard == "") == within(borne + shortfall)
        if policy.mode == "cap":  # never beyond what the wage bears, and all of that
            assert taken.from_wage_fen == 0 or within(borne + taken.from_wage_fen)
            assert taken.carried_fen == 0 or not within(borne + taken.from_wage_fen + 1)


@many
@given(st.integers(0, 500000), SMALL, SMALL, st.integers(1, 10**6), SMALL, GUARDS)
def test_a_larger_fine_never_takes_less_and_a_larger_wage_never_carries_more(
    bonus: int, fine: int, wage: int, more: int, borne: int, policy: GuardPolicy
) -> None:
    def taken(fine_fen: int, wage_fen: int):
        return deduct(bonus_fen=bonus, fine_fen=fine_fen, wage_fen=wage_fen, borne_fen=borne, policy=policy)

    less, larger = taken(fine, wage), taken(fine + more, wage)
    assert larger.from_bonus_fen >= less.from_bonus_fen
    assert larger.from_wage_fen >= less.from_wage_fen
    assert larger.carried_fen >= less.carried_fen
    assert larger.net_fen <= less.net_fen
    assert taken(fine, wage + more).carried_fen <= less.carried_fen
