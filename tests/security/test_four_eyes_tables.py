"""Where the two whom a step keeps apart stand in one row, the database refuses that they are one [D18].

Each attack is made below every trigger and foreign key; without its guard it goes through.
"""

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ARRAY, Boolean, Connection, Date, DateTime, Integer, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from shared.db import SERVICES
from shared.ids import new_id
from tests.conftest import START
from tests.security.routes import table_of
from tests.shared.test_schema import metadata_of

HE, ANOTHER, A_THIRD = UUID(int=1), UUID(int=2), UUID(int=3)

NUMBERS = count(1)

DECIDED = {"decided_at": START, "decision": "x"}
MADE_GOOD = {"amount_fen": 100, "made_good_at": START}
A_REWARD = {"amount_fen": 100, "use": "reward", "state": "proposed", "person_id": A_THIRD}

TIES: dict[tuple[str, str, str], tuple[str, dict[str, Any], tuple[str, ...]]] = {
    ("intake", "report_private_job", "subject"): ("private_job_reports", {}, ("reported_by", "person_id")),
    ("finance", "approve_prices", "proposer"): (
        "price_versions",
        {"state": "approved", "approved_at": START},
        ("approved_by", "drafted_by"),
    ),
    ("finance", "count_hand_over", "giver"): ("hand_overs", {"amount_fen": 100}, ("from_id", "to_id")),
    ("finance", "receive_on_behalf", "giver"): ("hand_overs", {"amount_fen": 100}, ("from_id", "to_id")),
    ("finance", "make_good", "giver"): ("cash_differences", MADE_GOOD, ("made_good_by", "giver_id")),
    ("finance", "propose_reserve_use", "beneficiary"): ("proposals", A_REWARD, ("proposed_by", "person_id")),
    ("finance", "decide_reserve_use", "proposer"): ("proposals", A_REWARD | DECIDED, ("decided_by", "proposed_by")),
    ("finance", "decide_reserve_use", "beneficiary"): ("proposals", A_REWARD | DECIDED, ("decided_by", "person_id")),
    ("finance", "agree_accounts", "signer"): ("settlements", {}, ("desk_agreed_by", "finance_agreed_by")),
    ("finance", "approve_settlement", "proposer"): ("settlements", {}, ("approved_by", "drafted_by")),
    ("finance", "approve_settlement", "signer"): ("settlements", {}, ("approved_by", "desk_agreed_by")),
    ("finance", "decide_refund", "proposer"): (
        "refunds",
        {"amount_fen": 100} | DECIDED,
        ("decided_by", "proposed_by"),
    ),
    ("finance", "decide_reopening", "proposer"): (
        "reopenings",
        {"state": "rejected"} | DECIDED,
        ("decided_by", "proposed_by"),
    ),
    ("hr", "move_person", "subject"): ("posts", {}, ("given_by", "person_id")),
    ("hr", "set_wage", "subject"): ("wages", {"monthly_wage_fen": 1}, ("changed_by", "person_id")),
    ("hr", "propose_factor_reset", "subject"): ("factor_resets", {}, ("proposed_by", "person_id")),
    ("hr", "confirm_factor_reset", "proposer"): (
        "factor_resets",
        {"confirmed_at": START},
        ("confirmed_by", "proposed_by"),
    ),
    ("hr", "confirm_factor_reset", "subject"): (
        "factor_resets",
        {"confirmed_at": START},
        ("confirmed_by", "person_id"),
    ),
    ("hr", "confirm_payment", "beneficiary"): ("payments", {}, ("paid_by", "person_id")),
    ("hr", "finish_task", "subject"): ("hr_tasks", {"done_at": START, "evidence": "x"}, ("done_by", "person_id")),
}
"""(service, action, tie) -> the table, what makes a row of that state, and two columns that are never one person."""

NOT_IN_ONE_ROW = {
    ("intake", "sign_statistics", "signer"): "a unique index over the signatures of a month: below",
    ("intake", "accept_line", "proposer"): "two entries of an append-only list",
    ("finance", "decide_refund", "collector"): "who collected is in the receipt",
    ("finance", "confirm_difference", "receiver"): "who confirms is kept by the audit log; the two of the row differ",
    ("hr", "let_leave", "subject"): "who let him leave is kept by the audit log",
    ("hr", "decide_case", "opener"): "tests/services/hr/test_case.py",
    ("hr", "decide_case", "subject"): "tests/services/hr/test_case.py",
    ("hr", "decide_appeal", "opener"): "tests/services/hr/test_appeal.py",
    ("hr", "decide_appeal", "subject"): "tests/services/hr/test_appeal.py",
    ("hr", "decide_appeal", "decider"): "tests/services/hr/test_appeal.py",
}
"""The other ties, and why they have no row here."""


def a_row(table: Table, facts: dict[str, Any]) -> dict[str, Any]:
    """A row with these facts, and something in every other column that must have a value."""
    row = dict(facts)
    for column in table.columns:
        if column.name in row or column.nullable or column.server_default is not None or column.identity is not None:
            continue
        match column.type:
            case DateTime():
                row[column.name] = START
            case Date():
                row[column.name] = START.date()
            case Boolean():
                row[column.name] = False
            case Integer():
                row[column.name] = next(NUMBERS) if column.unique else 0
            case ARRAY() | JSONB():
                row[column.name] = []
            case kind:
                row[column.name] = new_id() if kind.python_type is UUID else "x"
    return row


def put(owner: Connection, table: Table, row: dict[str, Any]) -> None:
    """The row, whatever its enums are called."""
    values = ", ".join(f"%({name})s" for name in row)
    owner.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({values})", row)


@pytest.mark.parametrize("tie", TIES, ids=" ".join)
def test_a_row_never_says_that_one_person_did_what_it_takes_two_for(
    owner_of: Callable[[str], Connection], tie: tuple[str, str, str]
) -> None:
    service, (name, facts, (one, other)) = tie[0], TIES[tie]
    owner, table = owner_of(service), metadata_of(service).tables[name]
    owner.execute(text("SET LOCAL session_replication_role = replica"))
    put(owner, table, a_row(table, facts | {one: HE, other: ANOTHER}))
    forged = a_row(table, facts | {one: HE, other: HE})
    guard = "two_people" if name == "hand_overs" else "four_eyes"
    with pytest.raises(IntegrityError, match=f"ck_{name}_{guard}"), owner.begin_nested():
        put(owner, table, forged)
    owner.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT ck_{name}_{guard}"))
    put(owner, table, forged)


def test_nobody_signs_the_statistics_of_a_month_for_two_departments(owner_of: Callable[[str], Connection]) -> None:
    owner, table = owner_of("intake"), metadata_of("intake").tables["month_signatures"]
    owner.execute(text("SET LOCAL session_replication_role = replica"))
    signature = a_row(table, {"site_id": ANOTHER, "month": "2026-04", "signed_by": HE, "department": "finance"})
    for facts in ({}, {"department": "front_desk", "signed_by": A_THIRD}, {"month": "2026-05"}, {"site_id": HE}):
        put(owner, table, signature | facts)
    forged = signature | {"department": "engineering"}
    with pytest.raises(IntegrityError, match="uq_month_signatures_four_eyes"), owner.begin_nested():
        put(owner, table, forged)
    owner.execute(text("DROP INDEX uq_month_signatures_four_eyes"))
    put(owner, table, forged)


def test_every_tie_stands_in_a_row_that_is_guarded_or_has_a_reason() -> None:
    declared = {
        (service, action, str(tie))
        for service in SERVICES
        for action, row in table_of(service).items()
        for tie in row.never
    }
    assert sorted([*TIES, *NOT_IN_ONE_ROW]) == sorted(declared)
