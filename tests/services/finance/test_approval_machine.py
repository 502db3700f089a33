"""What one proposes and another approves, whatever happens in whatever order [D13, D16, D18, R76, R77].

Refunds and uses of the reserve fund, proposed by one, decided by another, over HTTP at a service where everything
commits. True after every step, whatever it was:

- nobody concludes what he began, collected or is to get, though he has since got the role for it;
- what was decided stays as it was decided, whoever decides again, and two who decide at once decide once;
- a request that is repeated with its key is answered as it was, and happens once;
- money moves with an approval alone: what left the fund and what was given back are the sums of what was approved;
- the fund never holds less than nothing, and no more is given back of a fee than was paid.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from shared.ids import new_id
from tests.bad_input import of_finance_cash as cash
from tests.bad_input.house import House, house_of
from tests.cases import cases
from tests.security.test_four_eyes import become

SEVERAL = settings(
    max_examples=min(cases(8), 500),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
WHICH = st.integers(min_value=0, max_value=100)
REASON = {"reason": "同意"}


@dataclass
class Proposed:
    """What waits for a decision, as it should be."""

    path: str
    kind: str
    by: str
    amount: int
    fee: "Fee | None" = None
    for_whom: str = ""
    state: str = "proposed"


@dataclass
class Fee:
    """A fee that finance has."""

    receipt_id: str
    amount: int
    collector: str
    given_back: int = 0


@dataclass
class Books:
    """What the site's books should say (fen); the examples follow each other on the same ones."""

    fund: int = 0
    given_back: int = 0
    numbers: int = 0


class Approving(RuleBasedStateMachine):
    """What those who propose and those who decide do, against what should come of it."""

    house: House
    books: Books

    @initialize()
    def begin(self) -> None:
        first = self.books.numbers + 1
        self.books.numbers += 30
        book = {"site_id": str(self.house.site_id), "first": first, "last": self.books.numbers}
        self.house.did("cashier", "/receipt-books", book)
        self.fees: list[Fee] = []
        self.proposed: list[Proposed] = []

    def asks(self, who: str, path: str, body: Any, *, again: bool) -> Any:
        """Post once, or twice with the same key, which must be answered alike."""
        key = str(new_id())
        answer = self.house.post(who, path, body, key=key)
        if again:
            second = self.house.post(who, path, body, key=key)
            assert second.status_code == answer.status_code
            assert not answer.is_success or second.json() == answer.json()
        return answer

    # --- what happens ------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.fees) < 30)
    @rule()
    def a_fee_comes_in(self) -> None:
        payment = {"method": "bank", "amount_fen": cash.FEE, "reference": str(new_id())}
        paid = self.house.did("clerk", f"/charges/{cash.accepted(self.house)}/collect", payment)
        self.fees.append(Fee(str(paid["id"]), cash.FEE, "clerk"))
        self.books.fund += cash.FEE * 15 // 100

    @precondition(lambda self: self.fees)
    @rule(which=WHICH, twenties=st.integers(1, 260), again=st.booleans())
    def propose_a_refund(self, which: int, twenties: int, *, again: bool) -> None:
        fee, amount = self.fees[which % len(self.fees)], 20 * twenties
        body = {"receipt_id": fee.receipt_id, "amount_fen": amount, "method": "bank", **REASON}
        asked = sum(one.amount for one in self.proposed if one.fee is fee and one.state != "rejected")
        answer = self.asks("cashier", "/refunds", body, again=again)
        assert answer.is_success is (amount <= fee.amount - asked), answer.text
        if answer.is_success:
            self.proposed.append(Proposed(f"/refunds/{answer.json()['id']}", "refund", "cashier", amount, fee))

    @rule(amount=st.integers(1, 2000), reward=st.booleans(), again=st.booleans())
    def propose_a_use_of_the_fund(self, amount: int, *, reward: bool, again: bool) -> None:
        body = {
            "site_id": str(self.house.site_id),
            "use": "reward" if reward else "loss",
            "amount_fen": amount,
            **REASON,
        }
        if reward:
            body["person_id"] = str(self.house.people["cashier"].person_id)
        answer = self.asks("clerk", "/reserve/proposals", body, again=again)
        assert answer.is_success, answer.text
        path = f"/reserve/proposals/{answer.json()['id']}"
        self.proposed.append(Proposed(path, "use", "clerk", amount, for_whom="cashier" if reward else ""))

    @precondition(lambda self: self.proposed)
    @rule(
        which=WHICH,
        who=st.sampled_from(["leader", "leader", "leader", "clerk", "cashier", "desk_head"]),
        moved=st.booleans(),
        approve=st.sampled_from([True, True, False]),
        again=st.booleans(),
    )
    def decide(self, which: int, who: str, *, moved: bool, approve: bool, again: bool) -> None:
        one = self.one(which)
        if moved and who != "leader":
            become(self.house, who, "leader")
        answer = self.asks(who, f"{one.path}/decide", {"approve": approve, **REASON}, again=again)
        if moved and who != "leader":
            become(self.house, who, who)  # type: ignore[arg-type]
        tied = who in {one.by, one.for_whom} or (one.fee is not None and who == one.fee.collector)
        if who != "leader" and not moved:
            assert answer.status_code == 403, answer.text
        elif one.state != "proposed" or tied or (approve and not self.enough(one)):
            assert answer.status_code == 409, answer.text
        else:
            assert answer.status_code == 200, answer.text
            self.decided(one, approve=approve)

    @precondition(lambda self: any(one.state == "proposed" for one in self.proposed))
    @rule(which=WHICH, first=st.booleans(), second=st.booleans())
    def two_decide_at_once(self, which: int, *, first: bool, second: bool) -> None:
        one, wanted = self.one(which), [first, second]
        enough = self.enough(one)

        def post(approve: bool) -> int:
            body = {"approve": approve, **REASON}
            return self.house.post("leader", f"{one.path}/decide", body).status_code

        with ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(post, wanted))
        possible = [approve for approve in wanted if enough or not approve]
        assert sorted(statuses) == ([200, 409] if possible else [409, 409])
        if possible:
            self.decided(one, approve=wanted[statuses.index(200)])

    def one(self, which: int) -> Proposed:
        """A proposal: one that waits where there is any, else an old one."""
        among = [one for one in self.proposed if one.state == "proposed"] or self.proposed
        return among[which % len(among)]

    def enough(self, one: Proposed) -> bool:
        """Whether the fund holds what the approval takes from it."""
        return self.from_fund(one) <= self.books.fund

    @staticmethod
    def from_fund(one: Proposed) -> int:
        return one.amount if one.kind == "use" else one.amount * 15 // 100

    def decided(self, one: Proposed, *, approve: bool) -> None:
        one.state = "approved" if approve else "rejected"
        if approve:
            self.books.fund -= self.from_fund(one)
        if approve and one.fee is not None:
            one.fee.given_back += one.amount
            self.books.given_back += one.amount

    # --- what is always so -------------------------------------------------------------------------------------------

    @invariant()
    def money_moved_with_approvals_alone(self) -> None:
        with self.house.session() as session:
            fund, given_back, negative = session.execute(text(_BOOKS)).one()
            states = {row[0]: row[1] for row in session.execute(text(_STATES))}
            receipts = {row[0]: row[1] for row in session.execute(text(_GIVEN_BACK))}
        assert (fund, given_back, negative) == (self.books.fund, self.books.given_back, 0)
        assert fund >= 0
        for one in self.proposed:
            assert states[one.path.rsplit("/", 1)[1]] == one.state
        for fee in self.fees:
            assert receipts[fee.receipt_id] == fee.given_back <= fee.amount


_BOOKS = """
    SELECT -coalesce(sum(amount_fen) FILTER (WHERE account = 'reserve_fund'), 0),
           (SELECT coalesce(sum(amount_fen), 0) FROM refunds WHERE state = 'approved'),
           coalesce(sum(amount_fen), 0)
    FROM journal_lines
"""
_GIVEN_BACK = "SELECT id::text, refunded_fen FROM receipts"
_STATES = "SELECT id::text, state FROM refunds UNION ALL SELECT id::text, state FROM proposals"


@pytest.fixture
def house(installation: str) -> Iterator[House]:
    """Finance over HTTP, with people of every role."""
    with house_of("finance") as opened:
        yield opened


def test_what_one_proposes_another_decides_once(house: House) -> None:
    class Here(Approving):
        """At this house."""

    Here.house, Here.books = house, Books()
    run_state_machine_as_test(Here, settings=SEVERAL)
