"""Of a fine, the database stores what the rule says and nothing a fen beside it: bonus, then wage, the rest carried.

[R93, R94, D21, D22, promise 5]
"""

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.finance.rules.deduction import GuardPolicy, deduct
from shared.money import MAX_FEN
from tests.cases import cases
from tests.services.finance.office import Office

AT_ONCE = 50
"""Cases of one example, which the database stores together."""
# amounts of one size, so that bonus, fine and wage bound each other in every order
FEN = st.integers(0, 1000) | st.integers(0, MAX_FEN)
GUARDS = st.builds(
    GuardPolicy, mode=st.sampled_from(["off", "warn", "cap"]), percent=st.integers(0, 100), minimum_wage_fen=FEN
)
CASES = st.lists(
    st.tuples(st.integers(-1000, 1000) | st.integers(-MAX_FEN, MAX_FEN), FEN, FEN, st.none() | FEN, FEN, GUARDS),
    min_size=AT_ONCE,
    max_size=AT_ONCE,
)

STORE = text("""
    INSERT INTO settlement_lines (settlement_id, person_id, name, share_fen, reward_fen, fine_fen, from_bonus_fen,
                                  from_wage_fen, carried_fen, guard, share_carried_fen, net_fen, case_numbers)
    SELECT (SELECT id FROM settlements LIMIT 1), gen_random_uuid(), '', share_fen, reward_fen, fine_fen, from_bonus_fen,
           from_wage_fen, carried_fen, guard, share_carried_fen, net_fen, '{}'
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS line (
        share_fen bigint, reward_fen bigint, fine_fen bigint, from_bonus_fen bigint, from_wage_fen bigint,
        carried_fen bigint, guard text, share_carried_fen bigint, net_fen bigint)
""")


@pytest.fixture(scope="module")
def session(database_of: Callable) -> Session:
    """A session with one settlement, in which nothing is committed."""
    connection = database_of("finance").engine.connect()
    transaction = connection.begin()
    session = Session(connection, join_transaction_mode="create_savepoint")
    session.info["service"] = "finance"
    Office(session).begin()
    session.flush()
    yield session
    session.close()
    transaction.rollback()
    connection.close()


def line(share: int, reward: int, fine: int, wage: int | None, borne: int, policy: GuardPolicy) -> dict:
    """The line of a settlement that the rule makes of it, as actions/calculation.py does."""
    taken = deduct(bonus_fen=share + reward, fine_fen=fine, wage_fen=wage, borne_fen=borne, policy=policy)
    kept = share + taken.share_carried_fen
    return {"share_fen": kept, "reward_fen": reward, "fine_fen": fine, **asdict(taken)}


@settings(max_examples=cases(5000) // AT_ONCE, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_what_the_rule_takes_is_what_the_database_accepts(session: Session, many: list[tuple]) -> None:
    lines = [line(*case) for case in many]
    stored = session.begin_nested()
    assert session.execute(STORE, {"lines": json.dumps(lines)}).rowcount == AT_ONCE
    stored.rollback()


def moved(taken: dict, changes: dict[str, int]) -> dict:
    return taken | {name: taken[name] + by for name, by in changes.items()}


@settings(max_examples=cases(5000) // AT_ONCE, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    FEN.filter(bool),
    FEN.filter(bool),
    st.sampled_from(
        [
            {"from_bonus_fen": -1, "from_wage_fen": 1, "net_fen": 1},  # the wage before the bonus
            {"from_bonus_fen": 1, "from_wage_fen": -1, "net_fen": -1},  # more than the bonus
            {"from_bonus_fen": -1, "net_fen": 1},  # a fen of the fine forgotten
            {"from_wage_fen": 1},  # a fen more than the fine
            {"net_fen": 1},  # a fen more paid
            {"net_fen": -1},  # a fen less paid
            {"from_bonus_fen": -1, "carried_fen": 1, "net_fen": 1},  # carried although the bonus bears it
        ]
    ),
)
def test_a_fen_beside_what_the_rule_takes_is_refused(
    session: Session, bonus: int, fine: int, changes: dict[str, int]
) -> None:
    wrong = moved(line(bonus, 0, fine, None, 0, GuardPolicy(mode="off")), changes)
    with pytest.raises(IntegrityError, match="ck_settlement_lines"), session.begin_nested():
        session.execute(STORE, {"lines": json.dumps([wrong])})
