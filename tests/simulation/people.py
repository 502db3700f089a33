"""What the people do, each story a generator: it yields what somebody does next and is told what was answered."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bianmin.client import Person
from bianmin.month.cast import PRICES, ZONE, Cast
from tests.simulation.house import Answer

HERE = ZoneInfo(ZONE)
MONTH = "2026-04"
LAST_EVENING = datetime(2026, 4, 30, 18, 30, 1, tzinfo=HERE)


@dataclass(frozen=True)
class Act:
    """Somebody asks a service for something."""

    person: Person
    path: str
    body: dict[str, Any] | None = None
    method: str = "POST"
    query: dict[str, Any] | None = None


@dataclass(frozen=True)
class Until:
    """Nothing to do before that moment."""

    moment: datetime


@dataclass(frozen=True)
class Pause:
    """Not possible yet: the world has to go on first."""


@dataclass(frozen=True)
class Quiet:
    """Waits until no message is under way and every other story is told."""


Next = Act | Until | Pause | Quiet
Story = Generator[Next, Answer, Any]


class ActRefused(Exception):
    """Somebody was refused what he may always do."""


def do(wanted: Act | Callable[[], Act]) -> Story:
    """Somebody does it, and does it again later while it is refused for now; returns what was answered.

    What names a moment is `wanted` anew for each try, because the moment may have passed.
    """
    while True:
        act = wanted if isinstance(wanted, Act) else wanted()
        answer = yield act
        if answer.ok:
            return answer.body
        if answer.status not in {404, 409}:
            raise ActRefused(f"{act.person.role} {act.path}: {answer.status} {answer.body}")
        yield Pause()


def find(act: Act, pick: Callable[[Any], Any]) -> Story:
    """Somebody looks until he finds it; returns what he found."""
    while True:
        found = pick((yield from do(act)))
        if found is not None:
            return found
        yield Pause()


@dataclass
class Town:
    """What the stories of a seed share: who there is, what time it is, and the dice."""

    cast: Cast
    random: Random
    now: Callable[[], datetime]
    duties_done: set[tuple[str, date]] = field(default_factory=set)
    fees: dict[str, int] = field(default_factory=dict)
    """request -> the fee that was taken (fen)."""

    def __post_init__(self) -> None:
        [self.team] = self.cast.teams

    def chance(self, of: float) -> bool:
        """Whether it happens."""
        return self.random.random() < of

    # --- a request, from the call to the last revisit ---------------------------------------------------------------

    def request(self, number: int) -> Story:
        """One owner's request."""
        random, clerk = self.random, self.random.choice(self.team.clerks)
        trade = random.choice(["water", "electricity", "cleaning"])
        walk_in = self.chance(0.3)
        facts = {
            "site_id": self.team.site_id,
            "channel": "walk_in" if walk_in else "phone",
            "owner_name": f"业主{number}",
            "address": f"3-2-{1501 + number}",
            "phone": f"1380013800{number}",
            "description": "请上门",
            "trade": trade,
        }
        made = yield from do(Act(clerk, "/intake/api/requests", facts))
        path = f"/intake/api/requests/{made['id']}"
        if not walk_in:
            yield from self._call_back(clerk, path, trade)
        yield from self._agree(clerk, path, trade, walk_in=walk_in)
        if not (yield from self._visit(made["id"], trade, 0, clerk, walk_in=walk_in)):
            return
        yield from self._collect(made["id"], clerk)
        yield from self._revisit(made["id"], trade, clerk)

    def _call_back(self, clerk: Person, path: str, trade: str) -> Story:
        if self.chance(0.3):
            yield from do(Act(clerk, f"{path}/attempts", {"note": "无人接听"}))
        if self.chance(0.25):
            yield Until(self.now() + timedelta(minutes=14))  # the ten minutes are over
        if self.chance(0.25):

            def ask() -> Act:
                due = (self.now() + timedelta(minutes=30)).isoformat()
                facts = {"question": "需要多长时间？", "reply_due_at": due, "owner_was_told": True}
                return Act(clerk, f"{path}/consultations", facts)

            asked = yield from do(ask)
            answer = {"answer": "大约一小时"}
            yield from do(Act(self._head(trade), f"/dispatch/api/consultations/{asked['id']}/answer", answer))
            yield from do(Act(clerk, f"/intake/api/consultations/{asked['id']}/reply"))

    def _agree(self, clerk: Person, path: str, trade: str, *, walk_in: bool) -> Story:
        minutes = 0 if walk_in else self.random.randint(30, 20 * 60)
        price = self.random.choice([price for price in PRICES if price["trade"] == trade])
        facts = {
            "items": [
                {
                    "price_code": price["code"],
                    "quantity": self.random.randint(1, 2),
                    "unit_fen": self.random.randint(price["min_fen"], price["max_fen"]),
                }
            ],
            "owner_waits": walk_in,
        }
        while True:
            yield from do(lambda: Act(clerk, f"{path}/agree", facts | self._window(minutes)))
            issued = yield Act(clerk, f"{path}/notice")
            if issued.ok:
                return
            yield Pause()  # the time that was agreed is over: it is agreed anew

    def _window(self, minutes: int) -> dict[str, str]:
        """Two hours for a visit, so many minutes from now."""
        start = self.now() + timedelta(minutes=minutes)
        return {"visit_from": start.isoformat(), "visit_to": (start + timedelta(hours=2)).isoformat()}

    def _head(self, trade: str) -> Person:
        return self.team.heads["environment" if trade == "cleaning" else "engineering"]

    def _workers(self, trade: str) -> list[Person]:
        return self.team.workers["environment" if trade == "cleaning" else "engineering"]

    def _visit(self, request_id: str, trade: str, round_: int, clerk: Person, *, walk_in: bool = False) -> Story:
        """The department's part; returns whether the owner signed."""
        head, random = self._head(trade), self.random
        orders = Act(head, "/dispatch/api/work-orders", method="GET", query={"limit": 1000})

        def ours(page: Any) -> Any:
            of_us = [o for o in page["items"] if (o["request_id"], o["round"]) == (request_id, round_)]
            return of_us[0] if of_us else None

        order = yield from find(orders, ours)
        path = f"/dispatch/api/work-orders/{order['id']}"
        yield from do(Act(head, f"{path}/acknowledge"))
        if not round_ and not walk_in and self.chance(0.15):
            yield from do(Act(head, f"{path}/decline", {"reason": "人手不足"}))
            revise, why = f"/intake/api/requests/{request_id}/revise", {"reason": "改由另一名师傅上门"}
            yield from do(lambda: Act(clerk, revise, why | self._window(30)))
            order = yield from find(orders, lambda page: (o := ours(page)) and (o["revision"] or None) and o)
            yield from do(Act(head, f"{path}/acknowledge"))
        team = random.sample(self._workers(trade), 2 if self.chance(0.3) and not round_ else 1)
        chosen = {"workers": [{"person_id": worker.id, "weight": n + 1} for n, worker in enumerate(team)]}
        yield from do(Act(head, f"{path}/assign", chosen))
        first = team[0]
        yield Until(datetime.fromisoformat(order["visit_from"]))
        if walk_in and not round_:
            yield from do(Act(first, f"{path}/check-in"))
        while True:
            for worker in team:
                yield from self._do_duties(worker)
            arrived = yield Act(first, f"{path}/arrive")
            if arrived.ok:
                break
            if arrived.status != 409:
                raise ActRefused(f"{path}/arrive: {arrived}")
            yield Pause()
        yield from do(Act(first, f"{path}/check-materials", {"complete": True, "note": "业主自购"}))
        if not round_ and self.chance(0.1):
            yield from do(Act(first, f"{path}/tell-owner", {"kind": "told", "note": "超出能力范围"}))
            yield from do(Act(first, f"{path}/terminate", {"cause": "unable", "reason": "超出能力范围"}))
            yield from do(Act(first, f"{path}/return"))
            return False
        yield from do(Act(first, f"{path}/finish"))
        shown = yield from do(Act(first, f"{path}/settlement-list", method="GET"))
        signed = {"signer_name": order["owner_name"], "relation": "owner", "signature": "<svg/>"}
        signed["shown_hash"] = shown["hash"]
        accepted = yield from do(Act(first, f"{path}/accept", signed))
        if not round_:
            self.fees[request_id] = accepted["fee_fen"]
        yield from do(Act(first, f"{path}/return"))
        return True

    def _do_duties(self, worker: Person) -> Story:
        today = self.now().astimezone(HERE).date()
        if (worker.id, today) in self.duties_done:
            return
        prescribed = (yield from do(Act(worker, "/dispatch/api/duties/mine", method="GET")))["duties"]
        for duty in prescribed:
            yield Act(worker, f"/dispatch/api/duties/{duty['duty_id']}/tick")  # or another job of his had it ticked
        if not prescribed:
            yield Act(worker, "/dispatch/api/duties/done")
        self.duties_done.add((worker.id, today))

    def _collect(self, request_id: str, clerk: Person) -> Story:
        facts: dict[str, Any] = {"method": "cash", "amount_fen": self.fees[request_id]}
        cash = self.chance(0.8)
        if not cash:
            facts |= {"method": "wechat", "reference": f"wechat-{request_id}"}
        receipt = yield from do(Act(clerk, f"/finance/api/charges/{request_id}/collect", facts))
        if not cash:
            return
        if self.chance(0.2):
            yield Until(self.now() + timedelta(hours=24))  # it is not handed over tonight: a case opens
        offer = {"site_id": self.team.site_id, "to_person_id": self.team.cashier.id, "receipt_ids": [receipt["id"]]}
        offered = yield from do(Act(clerk, "/finance/api/hand-overs", offer))
        path = f"/finance/api/hand-overs/{offered['id']}"
        counted = {"counted_fen": self.fees[request_id]}
        yield from do(Act(self.team.cashier, f"{path}/count", counted))
        if self.chance(0.3):
            yield from self._refund(receipt["id"], self.fees[request_id] // 3)

    def _refund(self, receipt_id: str, amount_fen: int) -> Story:
        facts = {"receipt_id": receipt_id, "amount_fen": amount_fen, "reason": "多收", "method": "cash"}
        proposed = yield from do(Act(self.team.cashier, "/finance/api/refunds", facts))
        decision = {"approve": True, "reason": "同意"}
        yield from do(Act(self.cast.leader, f"/finance/api/refunds/{proposed['id']}/decide", decision))

    def _revisit(self, request_id: str, trade: str, clerk: Person) -> Story:
        round_ = 0
        while True:
            due = Act(clerk, "/intake/api/revisits", method="GET", query={"limit": 1000})
            yield Until(self.now() + timedelta(hours=24, seconds=1))
            yield from find(due, lambda page: next((r for r in page["items"] if r["request_id"] == request_id), None))
            path = f"/intake/api/requests/{request_id}/revisit"
            if round_ >= 1 or not self.chance(0.3):
                survey = {"quality": 5, "attitude": 5, "price_as_agreed": True}
                yield from do(Act(clerk, path, {"outcome": "satisfied", "note": "满意", "survey": survey}))
                return
            problem = {
                "outcome": "problem",
                "note": "又漏了",
                "survey": {"quality": 1, "attitude": 4, "price_as_agreed": True},
            }
            yield from do(partial(self._complain, clerk, path, problem))
            round_ += 1
            yield from self._visit(request_id, trade, round_, clerk)

    def _complain(self, clerk: Person, path: str, problem: dict[str, Any]) -> Act:
        return Act(clerk, path, problem | self._window(60))

    # --- the month's end --------------------------------------------------------------------------------------------

    def month_end(self) -> Story:
        """Four departments sign, accounts are agreed, finance computes, the leader approves, hr pays."""
        team, lead = self.team, self.cast.finance_lead
        yield Quiet()
        received = yield Act(team.cashier, "/finance/api/charges/receive", {"site_id": team.site_id})
        assert received.ok or received.status == 409, received
        yield Until(LAST_EVENING)
        yield Quiet()
        for signer in (team.desk_head, *team.heads.values(), lead):
            yield from do(Act(signer, f"/intake/api/months/{MONTH}/sites/{team.site_id}/sign"))
        path = f"/finance/api/settlements/{team.site_id}/{MONTH}"
        yield from do(Act(team.desk_head, f"{path}/agree-accounts"))
        yield from do(Act(lead, f"{path}/agree-accounts"))
        yield from do(Act(lead, f"{path}/compute"))
        yield from do(Act(self.cast.leader, f"{path}/approve"))
        payouts = Act(self.cast.hr, "/hr/api/payouts", method="GET", query={"limit": 1000})
        payout = yield from find(payouts, lambda page: page["items"][0] if page["items"] else None)
        failing = self.chance(0.5)
        for line in payout["lines"]:
            if line["state"] != "due":
                continue
            of_line = f"/hr/api/payouts/{payout['settlement_id']}/lines/{line['person_id']}"
            if failing:
                returned = {"cause": "account_closed", "reason": "账户已注销"}
                yield from do(Act(self.cast.hr, f"{of_line}/failed", returned))
                failing = False
            yield from do(Act(self.cast.hr, f"{of_line}/paid", {"reference": f"GZ-{line['person_id'][-6:]}"}))
        deliveries = Act(self.cast.hr, "/hr/api/deliveries", method="GET", query={"limit": 1000})
        for delivery in (yield from do(deliveries))["items"]:
            told = {"reference": f"HR-{delivery['sequence']}"}
            yield from do(Act(self.cast.hr, f"/hr/api/deliveries/{delivery['id']}/acknowledge", told))


def issue_book(town: Town) -> Story:
    """A book of numbered receipts for the desk."""
    book = {"site_id": town.team.site_id, "first": 1, "last": 100}
    yield from do(Act(town.team.cashier, "/finance/api/receipt-books", book))
