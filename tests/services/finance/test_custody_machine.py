"""Cash from the owner's hand to the bank, whatever happens in whatever order [R36, R84-R88, D7, D13, D16].

True after every step, at a site where people collect, hand over, count right, short and over, withdraw, put their
names to what is missing, make it good, refund and deposit, and also try what they may not:

- every fen that came in is in one place: somebody's hands, finance's till, the bank, what somebody owes, or given back;
- what the ledger says of a person's hands, what his receipts say and what was really put into them are the same;
- a receipt's cash has one holder at most, and lies in one open hand-over at most;
- what is refused changes nothing;
- no more is refunded of a fee than was paid, none before finance has it, and the till never holds less than nothing.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

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
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.finance.actions import cash_difference, deposit, hand_over, receipt, refund
from services.finance.models import CashDifference, HandOverReceipt, Receipt
from services.finance.queries.cash import till_fen
from services.finance.rules.receipt import Method
from services.finance.rules.refund import RefundMethod
from shared.errors import Problem
from shared.ids import new_id
from shared.people import Actor
from tests.cases import cases
from tests.services.finance.office import MORNING, Office

SEVERAL = settings(
    max_examples=min(cases(15), 1000),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

FEES = st.integers(min_value=1, max_value=30_000)
WHICH = st.integers(min_value=0, max_value=100)
GIVERS, RECEIVERS = ("worker", "clerk", "desk_head"), ("clerk", "desk_head", "cashier", "lead")

_codes = itertools.count(1)


@dataclass
class Taken:
    """A receipt as it should be: whose hands its cash is in (None: finance's), less what an earlier holder owes."""

    id: UUID
    request_id: UUID
    fee: int
    holder: str | None
    method: Method = Method.CASH
    short: int = 0
    asked_back: int = 0


@dataclass
class Offered:
    """A hand-over as it should be."""

    id: UUID
    giver: str
    receiver: str
    receipts: list[Taken]
    amount: int
    state: str = "offered"
    counted: int = 0


@dataclass
class Owed:
    """What somebody was short, as it should be."""

    id: UUID
    amount: int
    giver: str
    made_good: bool = False


@dataclass
class Places:
    """Where money is, in fen."""

    hands: Counter[str] = field(default_factory=Counter)
    owed: Counter[str] = field(default_factory=Counter)
    till: int = 0
    bank: int = 0
    given_back: int = 0
    taken: int = 0

    def total(self) -> int:
        return self.hands.total() + self.owed.total() + self.till + self.bank + self.given_back


class Custody(RuleBasedStateMachine):
    """What the people of a site do with cash, against what should come of it."""

    session: Session

    @initialize()
    def begin(self) -> None:
        self.office = Office(self.session, code=f"C{next(_codes)}")
        self.office.begin()
        self.places = Places()
        self.taken: list[Taken] = []
        self.offered: list[Offered] = []
        self.short: list[Owed] = []

    def who(self, name: str) -> Actor:
        person: Actor = getattr(self.office, name)
        return person

    def does(self, act: Callable[[], Any], *, lawful: bool) -> Any:
        """The act, undone where it is refused, as it must be unless it is lawful."""
        if not lawful:
            with pytest.raises(Problem), self.session.begin_nested():
                act()
            self.session.expire_all()
            return None
        with self.session.begin_nested():
            done = act()
            self.session.flush()
        return done

    def open_offers(self) -> list[Offered]:
        return [one for one in self.offered if one.state not in {"counted", "withdrawn"}]

    def free(self, giver: str) -> list[Taken]:
        bound = {held.id for one in self.open_offers() for held in one.receipts}
        return [held for held in self.taken if held.holder == giver and held.id not in bound]

    # --- what happens ------------------------------------------------------------------------------------------------

    @rule(fee=FEES, who=st.sampled_from(GIVERS), method=st.sampled_from([Method.CASH, Method.CASH, Method.WECHAT]))
    def collect(self, fee: int, who: str, method: Method) -> None:
        request_id = self.office.accepted(fee_fen=fee)
        receipt_id = None
        method = Method.CASH if who == "worker" else method
        if who == "worker":
            receipt_id = receipt.carry(
                self.session,
                request_id=request_id,
                worker_id=self.office.worker.person_id,
                actor=self.office.clerk,
                now=MORNING,
            ).id
        used = self.office.collect(
            request_id,
            actor=self.who(who),
            amount_fen=fee,
            method=method,
            reference=None if method is Method.CASH else str(new_id()),
            receipt_id=receipt_id,
        )
        cash = method is Method.CASH
        self.taken.append(Taken(used.id, request_id, fee, who if cash else None, method))
        self.places.taken += fee
        if cash:
            self.places.hands[who] += fee
        else:
            self.places.bank += fee

    @precondition(lambda self: self.taken)
    @rule(which=WHICH, less=st.booleans())
    def collect_again_or_another_sum(self, which: int, *, less: bool) -> None:
        held = self.taken[which % len(self.taken)]
        request_id = self.office.accepted(fee_fen=2) if less else held.request_id
        self.does(lambda: self.office.collect(request_id, amount_fen=1 if less else held.fee), lawful=False)

    @rule(
        giver=st.sampled_from(GIVERS),
        receiver=st.sampled_from(RECEIVERS),
        which=st.none() | WHICH,
        theirs=st.booleans(),
    )
    def offer(self, giver: str, receiver: str, which: int | None, *, theirs: bool) -> None:
        free = self.free(giver)
        chosen = free
        if which is not None and self.taken:
            among = self.taken if theirs else free or self.taken
            chosen = [among[which % len(among)]]
        next_in_chain = receiver in ({"clerk", "desk_head"} if giver == "worker" else {"cashier", "lead"})
        amount = sum(held.fee - held.short for held in chosen)
        whose = {held.id for held in free}
        offered = self.does(
            lambda: hand_over.offer(
                self.session,
                site_id=self.office.site_id,
                to_person_id=self.who(receiver).person_id,
                receipt_ids=None if chosen is free else [held.id for held in chosen],
                actor=self.who(giver),
                now=MORNING,
            ),
            lawful=next_in_chain and amount > 0 and all(held.id in whose for held in chosen),
        )
        if offered is not None:
            assert offered.amount_fen == amount
            self.offered.append(Offered(offered.id, giver, receiver, chosen, amount))

    def one(self, which: int) -> Offered:
        """An offer: an open one where there is any, else an old one."""
        among = self.open_offers() or self.offered
        return among[which % len(among)]

    @precondition(lambda self: self.offered)
    @rule(which=WHICH)
    def withdraw(self, which: int) -> None:
        one = self.one(which)
        if self.does(
            lambda: hand_over.withdraw(self.session, hand_over_id=one.id, actor=self.who(one.giver), now=MORNING),
            lawful=one in self.open_offers(),
        ):
            one.state = "withdrawn"

    @precondition(lambda self: self.offered)
    @rule(
        which=WHICH, wrong_by=st.sampled_from([0, 0, 0, -1, -50, -40_000, 1, 700]), himself=st.sampled_from([0, 0, 1])
    )
    def count(self, which: int, wrong_by: int, himself: int) -> None:
        one = self.one(which)
        counted = max(0, one.amount + wrong_by)
        if not self.does(
            lambda: hand_over.count(
                self.session,
                hand_over_id=one.id,
                counted_fen=counted,
                actor=self.who(one.giver if himself else one.receiver),
                now=MORNING,
            ),
            lawful=one.state == "offered" and not himself,
        ):
            return
        one.counted, one.state = counted, "counted" if counted == one.amount else "differs"
        if one.state == "counted":
            self.moved(one)

    def moved(self, one: Offered) -> None:
        holder = one.receiver if one.receiver in GIVERS else None
        for held in one.receipts:
            held.holder = holder
        self.places.hands[one.giver] -= one.amount
        self.places.owed[one.giver] += one.amount - one.counted
        if holder:
            self.places.hands[holder] += one.counted
        else:
            self.places.till += one.counted

    @precondition(lambda self: any(one.state in {"differs", "stated"} for one in self.offered))
    @rule(which=WHICH, how=st.sampled_from(["settle", "confirm", "confirm"]))
    def put_ones_name_to_what_is_missing(self, which: int, how: str) -> None:
        among = [one for one in self.offered if one.state in {"differs", "stated"}]
        one = among[which % len(among)]
        if how == "settle":
            done = self.does(
                lambda: cash_difference.settle_difference(
                    self.session, hand_over_id=one.id, reason="少了", actor=self.who(one.receiver), now=MORNING
                ),
                lawful=one.state == "differs",
            )
            one.state = "stated" if done else one.state
            return
        done = self.does(
            lambda: cash_difference.confirm_difference(
                self.session, hand_over_id=one.id, actor=self.who(one.giver), now=MORNING
            ),
            lawful=one.state == "stated",
        )
        if done:
            one.state = "counted"
            self.moved(one)
            self.session.expire_all()
            before = sum(held.short for held in one.receipts)
            for held in one.receipts:
                held.short = self.session.get_one(Receipt, held.id).short_fen
            assert sum(held.short for held in one.receipts) - before == one.amount - one.counted
            self.short += [
                Owed(id_, one.amount - one.counted, one.giver)
                for id_ in self.session.scalars(select(CashDifference.id).where(CashDifference.hand_over_id == one.id))
            ]

    @rule(fee=FEES, less=st.lists(st.integers(0, 300), min_size=2, max_size=2))
    def go_the_whole_way_and_be_short_each_time(self, fee: int, less: list[int]) -> None:
        self.collect(fee, "worker", Method.CASH)
        for (giver, receiver), missing in zip((("worker", "clerk"), ("clerk", "cashier")), less, strict=True):
            before = len(self.offered)
            self.offer(giver, receiver, None, theirs=False)
            if len(self.offered) == before:
                return
            latest = self.offered[-1]
            which = self.open_offers().index(latest)
            self.count(which, -missing, 0)
            if latest.state == "differs":
                among = [one for one in self.offered if one.state in {"differs", "stated"}]
                self.put_ones_name_to_what_is_missing(among.index(latest), "settle")
                self.put_ones_name_to_what_is_missing(among.index(latest), "confirm")

    @precondition(lambda self: self.short)
    @rule(which=WHICH, wrong_by=st.sampled_from([0, 0, 0, 1, -1]), who=st.sampled_from(["cashier", "lead"]))
    def make_good(self, which: int, wrong_by: int, who: str) -> None:
        owed = self.short[which % len(self.short)]
        if self.does(
            lambda: cash_difference.make_good(
                self.session,
                difference_id=owed.id,
                counted_fen=owed.amount + wrong_by,
                actor=self.who(who),
                now=MORNING,
            ),
            lawful=owed.amount > 0 and not owed.made_good and not wrong_by,
        ):
            owed.made_good = True
            self.places.owed[owed.giver] -= owed.amount
            self.places.till += owed.amount

    @precondition(lambda self: self.taken)
    @rule(
        which=WHICH,
        part=st.integers(1, 120),
        method=st.sampled_from(list(RefundMethod)),
        approve=st.sampled_from([True, True, False]),
        by=st.sampled_from(["leader", "leader", "cashier"]),
    )
    def give_back(self, which: int, part: int, method: RefundMethod, by: str, *, approve: bool) -> None:
        held = self.taken[which % len(self.taken)]
        amount = max(1, held.fee * part // 100)
        proposed = self.does(
            lambda: self.office.propose_refund(self.session.get_one(Receipt, held.id), amount, method=method),
            lawful=held.holder is None and amount <= held.fee - held.asked_back,
        )
        if proposed is None:
            return
        held.asked_back += amount
        enough = method is RefundMethod.BANK or amount <= self.places.till
        decided = self.does(
            lambda: refund.decide(
                self.session,
                refund_id=proposed.id,
                approve=approve,
                reason="同意",
                actor=self.who("leader"),
                now=MORNING,
            ),
            lawful=not approve or enough,
        )
        if decided is None:
            return
        self.does(
            lambda: refund.decide(
                self.session, refund_id=proposed.id, approve=True, reason="再来", actor=self.who(by), now=MORNING
            ),
            lawful=False,
        )
        if not approve:
            held.asked_back -= amount
            return
        self.places.given_back += amount
        if method is RefundMethod.CASH:
            self.places.till -= amount
        else:
            self.places.bank -= amount

    @rule(amount=st.integers(1, 40_000))
    def take_to_the_bank(self, amount: int) -> None:
        if self.does(
            lambda: deposit.deposit(
                self.session,
                site_id=self.office.site_id,
                amount_fen=amount,
                reference=str(new_id()),
                actor=self.office.cashier,
                now=MORNING,
            ),
            lawful=amount <= self.places.till,
        ):
            self.places.till -= amount
            self.places.bank += amount

    # --- what is always so -------------------------------------------------------------------------------------------

    @invariant()
    def every_fen_is_in_one_place(self) -> None:
        assert self.places.total() == self.places.taken
        assert self.places.till == till_fen(self.session, self.office.site_id) >= 0
        assert self.places.bank == self.office.balance("bank")

    @invariant()
    def ledger_receipts_and_hands_agree(self) -> None:
        for name in GIVERS:
            person = self.who(name)
            assert self.office.balance("cash_in_hand", person) == self.places.hands[name]
            assert self.office.balance("cash_differences", person) == self.places.owed[name]
            in_hand = select(func.coalesce(func.sum(Receipt.amount_fen - Receipt.short_fen), 0))
            held = self.session.scalars(in_hand.where(Receipt.holder_id == person.person_id)).one()
            assert int(held or 0) == self.places.hands[name]

    @invariant()
    def a_receipts_cash_is_with_one_and_in_one_open_hand_over_at_most(self) -> None:
        self.session.expire_all()
        for held in self.taken:
            known = self.session.get_one(Receipt, held.id)
            assert known.holder_id == (self.who(held.holder).person_id if held.holder else None)
            assert (known.received_at is None) == (held.holder is not None)
        twice = select(HandOverReceipt.receipt_id).where(HandOverReceipt.open)
        bound = list(
            self.session.scalars(twice.where(HandOverReceipt.receipt_id.in_([held.id for held in self.taken])))
        )
        assert sorted(bound) == sorted(held.id for one in self.open_offers() for held in one.receipts)

    @invariant()
    def the_database_takes_the_books_as_they_stand(self) -> None:
        self.office.books_balance()


def test_cash_is_never_lost_and_never_doubled(session_of: Callable[[str], Session]) -> None:
    class Here(Custody):
        """In a transaction that is undone."""

    Here.session = session_of("finance")
    run_state_machine_as_test(Here, settings=SEVERAL)
