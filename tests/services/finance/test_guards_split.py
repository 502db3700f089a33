"""The split of PostgreSQL is that of Python, to the fen, and no other split is stored [D14, D16, promise 4]."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import IntegrityError

from services.finance.rules.refund import parts_of
from services.finance.rules.split import Split, SplitPolicy, split, weights_of
from shared.money import MAX_FEN, largest_remainder
from shared.policy_rows import change
from tests.cases import cases
from tests.people import employ
from tests.services.finance.office import MORNING, Office

AT_ONCE = 50
"""Cases of one example, for which the database is asked once."""
MANY = settings(max_examples=cases(5000) // AT_ONCE, deadline=None, suppress_health_check=list(HealthCheck))
WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)
DIVIDED = text("""
    SELECT largest_remainder((c ->> 0)::bigint, ARRAY(SELECT w::bigint FROM jsonb_array_elements_text(c -> 1) AS a (w)))
    FROM jsonb_array_elements(CAST(:cases AS jsonb)) WITH ORDINALITY AS e (c, i) ORDER BY i
""")
PIECES = text("""
    SELECT split_piece((c ->> 0)::bigint, (c ->> 1)::bigint,
                       ARRAY(SELECT w::bigint FROM jsonb_array_elements_text(c -> 2) AS a (w)))
    FROM jsonb_array_elements(CAST(:cases AS jsonb)) WITH ORDINALITY AS e (c, i) ORDER BY i
""")


def at_once(case: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(case, min_size=AT_ONCE, max_size=AT_ONCE)


@pytest.fixture(scope="module")
def owner(template: str) -> Iterator[Connection]:
    """A connection that changes nothing."""
    with create_engine(template, poolclass=NullPool).connect() as connection:
        connection.execute(text("SET search_path = finance"))
        yield connection


@pytest.mark.parametrize("policy", [SplitPolicy(), SplitPolicy(company=34, workers=33, reserve=33)])
def test_the_database_splits_every_total_up_to_1000_yuan_as_python_does(owner: Connection, policy: SplitPolicy) -> None:
    every = text("SELECT t, largest_remainder(t, CAST(:weights AS bigint[])) FROM generate_series(0, 100000) AS g (t)")
    rows = owner.execute(every, {"weights": weights_of(policy)}).all()
    assert len(rows) == 100001
    for total, (workers, reserve, company) in rows:
        assert Split(company, workers, reserve) == split(total, policy)


@MANY
@given(at_once(st.tuples(st.integers(-MAX_FEN, MAX_FEN), WEIGHTS)))
def test_the_database_divides_whatever_amount_by_whatever_weights_as_python_does(
    owner: Connection, many: list[tuple[int, list[int]]]
) -> None:
    divided = owner.execute(DIVIDED, {"cases": json.dumps(many)}).scalars().all()
    for (total, weights), parts in zip(many, divided, strict=True):
        assert parts == largest_remainder(total, weights)
        assert sum(parts) == total
        whole = sum(weights)
        assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


@MANY
@given(at_once(st.tuples(st.integers(1, MAX_FEN), st.integers(0, MAX_FEN))))
def test_the_database_divides_a_piece_of_a_fee_as_python_does_and_the_pieces_add_up(
    owner: Connection, many: list[tuple[int, int]]
) -> None:
    fees = [(split(fee, SplitPolicy()), first % fee, fee) for fee, first in many]
    asked = [
        (before, amount, [parts.workers_fen, parts.reserve_fen, parts.company_fen])
        for parts, first, fee in fees
        for before, amount in ((0, first), (first, fee - first))
    ]
    pieces = owner.execute(PIECES, {"cases": json.dumps(asked)}).scalars().all()
    for (before, amount, weights), piece in zip(asked, pieces, strict=True):
        parts = parts_of(Split(weights[2], weights[0], weights[1]), refunded_fen=before, amount_fen=amount)
        assert piece == [parts.workers_fen, parts.reserve_fen, parts.company_fen]
    for (_, _, weights), first, second in zip(asked[::2], pieces[::2], pieces[1::2], strict=True):
        assert [one + other for one, other in zip(first, second, strict=True)] == weights


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [3, -1], None])
def test_weights_that_mean_nothing_divide_nothing(owner: Connection, weights: list[int] | None) -> None:
    divide = text("SELECT largest_remainder(100, CAST(:weights AS bigint[]))")
    assert owner.execute(divide, {"weights": weights}).scalar_one() is None


@pytest.mark.parametrize("policy", [SplitPolicy(), SplitPolicy(company=10, workers=80, reserve=10)])
def test_a_receipt_keeps_the_parts_of_the_policy_of_its_day(office: Office, policy: SplitPolicy) -> None:
    administrator = employ(office.session, "administrator", "management")
    facts = {"site_id": office.site_id, "effective_from": MORNING, "actor": administrator, "now": MORNING}
    change(office.session, policy, reason="as decided", **facts)
    used = office.paid(101)
    assert used.split_weights == [policy.workers, policy.reserve, policy.company]
    assert Split(used.company_fen, used.workers_fen, used.reserve_fen) == split(101, policy)


@pytest.mark.parametrize(
    "other",
    [
        "company_fen = company_fen + 1, workers_fen = workers_fen - 1",
        "company_fen = amount_fen, workers_fen = 0, reserve_fen = 0",
        "split_weights = '{34,15,51}'",
        "split_weights = '{35,15}'",
        "split_weights = '{}'",
        "split_weights = NULL",
        "amount_fen = amount_fen + 1",
    ],
)
def test_another_split_of_a_fee_is_refused_even_if_it_adds_up(office: Office, other: str) -> None:
    used = office.paid(10003)
    with pytest.raises(IntegrityError, match="ck_receipts_split"), office.session.begin_nested():
        office.session.execute(text(f"UPDATE receipts SET {other} WHERE id = :id"), {"id": used.id})


@pytest.mark.parametrize(
    "other",
    [
        "company_fen = company_fen + 1, workers_fen = workers_fen - 1",
        "before_fen = NULL",
        "split_weights = NULL",
        "state = 'rejected'",
    ],
)
def test_another_split_of_a_refund_is_refused_even_if_it_adds_up(office: Office, other: str) -> None:
    used = office.paid(10003)
    office.hand_over(office.clerk, office.cashier)
    office.refunded(used, 4)
    second = office.refunded(used, 3)
    assert second.before_fen == 4
    with pytest.raises(IntegrityError, match="ck_refunds_split"), office.session.begin_nested():
        office.session.execute(text(f"UPDATE refunds SET {other} WHERE id = :id"), {"id": second.id})
