"""The traffic: people who do complete orders by HTTP while things break, and write down what they meant to do.

A well-behaved client: an act that got no answer, or an answer that says "our fault", is repeated with the same
Idempotency-Key until it is answered; it is never given up and never done anew under another key.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx

from bianmin.children import wait_until
from bianmin.client import Person, Refused
from bianmin.month.cast import PRICES, Cast, Team
from bianmin.month.stage import DEPARTMENT_OF

PATIENCE_SECONDS = 180.0
LANES = 4
"""Orders under way at a time."""


@dataclass
class Intent:
    """One order as its people mean it to be: written down before the first call."""

    key: str
    team: Team
    clerk: Person
    price: dict[str, Any]
    fee_fen: int
    to_be_missed: bool
    request_id: str = ""
    receipt_id: str = ""

    @classmethod
    def nothing(cls, key: str, team: Team) -> "Intent":
        """A request that nobody calls back about: it goes no further."""
        return cls(key, team, team.clerks[0], PRICES[0], fee_fen=0, to_be_missed=True)

    def register(self, caller: "Caller") -> None:
        """The owner asks."""
        self.request_id = caller.post(
            self.clerk,
            "/intake/api/requests",
            self.key,
            site_id=self.team.site_id,
            channel="phone",
            owner_name=self.key,
            address="1-101",
            phone="13800000000",
            description="修理 please mend it",
            trade=self.price["trade"],
        )["id"]


@dataclass
class Ledger:
    """Everything all traffic of an installation meant to do; what the checks compare the books with."""

    intents: list[Intent] = field(default_factory=list)
    """Orders that are completed."""
    unanswered: list[Intent] = field(default_factory=list)
    """Requests nobody called back about."""
    handed_over_fen: int = 0
    acts: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """How often a call had to be repeated, and for what."""
    repeated: int = 0
    """How many calls had to be."""


class Caller:
    """One person's telephone to the four services."""

    def __init__(self, base_url: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self._http = httpx.Client(base_url=base_url, timeout=20)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, person: Person, path: str, **query: Any) -> Any:
        return self._call("GET", path, person, params=query)

    def post(self, person: Person, path: str, key: str, **body: Any) -> Any:
        """Do the act that `key` names."""
        self.ledger.acts += 1
        return self._call("POST", path, person, json=body or None, key=f"{path} {key}")

    def _call(self, method: str, path: str, person: Person, *, key: str = "", **parts: Any) -> Any:
        headers = {"Authorization": f"Bearer {person.token}"} | ({"Idempotency-Key": key} if key else {})
        give_up = time.monotonic() + PATIENCE_SECONDS
        unanswered = False
        while True:
            try:
                answer = self._http.request(method, path, headers=headers, **parts)
            except httpx.TransportError as error:
                self.ledger.answers[type(error).__name__] += 1
                self.ledger.repeated += not unanswered
                unanswered = True
                if time.monotonic() > give_up:
                    raise
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code == httpx.codes.CONFLICT and unanswered:
                    # a plain change of state keeps no answer: that it cannot be done again says that it was done
                    self.ledger.answers["done already"] += 1
                    return None
                if answer.status_code < 500 or time.monotonic() > give_up:
                    raise Refused(f"{method} {path}", answer.status_code, answer.json())
                self.ledger.answers[str(answer.status_code)] += 1
                self.ledger.repeated += not unanswered
                unanswered = True
            time.sleep(0.2)


class Traffic:
    """So many orders, and more while something goes on, from a seed.

    `leaping`: some owners are called back too late, for which the clock leaps. `pace`: so many seconds pass from the
    beginning of an order to that of the next of its lane at least.
    """

    def __init__(
        self,
        base_url: str,
        cast: Cast,
        ledger: Ledger,
        clock: "Clock",
        *,
        name: str,
        seed: int,
        leaping: bool = True,
        pace: float = 0,
    ) -> None:
        self.base_url, self.cast, self.ledger, self.clock = base_url, cast, ledger, clock
        self.name, self.seed, self.leaping, self.pace = name, seed, leaping, pace
        self.intents: list[Intent] = []
        self.failures: list[BaseException] = []
        self._lock = threading.Lock()

    def run(self, orders: int, meanwhile: Callable[[], None]) -> None:
        """Do `orders` orders, and go on until `meanwhile`, which breaks things, is done. Raises what went wrong."""
        done = threading.Event()

        def lane(number: int) -> None:
            try:
                with Caller(self.base_url, self.ledger) as caller:
                    while not self.failures and (len(self.intents) < orders or not done.is_set()):
                        next_at = time.monotonic() + self.pace
                        self.order(caller, self.draw())
                        done.wait(max(0, next_at - time.monotonic()))
            except BaseException as failure:
                self.failures.append(failure)
                raise

        with ThreadPoolExecutor(LANES) as lanes:
            running = [lanes.submit(lane, number) for number in range(LANES)]
            try:
                meanwhile()
            finally:
                done.set()
            for future in running:
                future.result()
        with Caller(self.base_url, self.ledger) as caller:
            self.hand_over(caller)

    def draw(self) -> Intent:
        """The next order, as its people will mean it to be."""
        with self._lock:
            number = len(self.intents)
            chance = Random(f"{self.name}:{self.seed}:{number}")
            team = chance.choice(self.cast.teams)
            price = chance.choice([price for price in PRICES if price["trade"] != "electricity"])
            intent = Intent(
                key=f"{self.name} {self.seed} {number}",
                team=team,
                clerk=chance.choice(team.clerks),
                price=price,
                fee_fen=chance.randint(price["min_fen"], price["max_fen"]),
                to_be_missed=self.leaping and number % 20 == 7,
            )
            self.intents.append(intent)
            self.ledger.intents.append(intent)
        return intent

    def order(self, caller: Caller, intent: Intent) -> None:
        """From the call to the fee."""
        self._register(caller, intent)
        department = DEPARTMENT_OF[intent.price["trade"]]
        head, worker = intent.team.heads[department], intent.team.workers[department][0]
        path = f"/dispatch/api/work-orders/{self._order_id(caller, head, intent)}"
        caller.post(head, f"{path}/acknowledge", intent.key)
        caller.post(head, f"{path}/assign", intent.key, workers=[{"person_id": worker.id, "weight": 1}])
        caller.post(worker, f"{path}/arrive", intent.key)
        caller.post(worker, f"{path}/check-materials", intent.key, complete=True, note="齐全 complete")
        caller.post(worker, f"{path}/finish", intent.key)
        caller.post(
            worker,
            f"{path}/accept",
            intent.key,
            signer_name=intent.key,
            relation="owner",
            signature=f"<svg><!-- {intent.key} --></svg>",
            shown_hash=caller.get(worker, f"{path}/settlement-list")["hash"],
        )
        charge = f"/finance/api/charges/{intent.request_id}"
        _await(
            "finance to know of the signature", caller, intent.clerk, charge, lambda seen: seen["state"] == "accepted"
        )
        intent.receipt_id = caller.post(
            intent.clerk, f"{charge}/collect", intent.key, method="cash", amount_fen=intent.fee_fen
        )["id"]
        caller.post(worker, f"{path}/return", intent.key)

    def _register(self, caller: Caller, intent: Intent) -> None:
        clerk = intent.clerk
        intent.register(caller)
        path = f"/intake/api/requests/{intent.request_id}"
        if intent.to_be_missed:
            self.clock.pass_minutes(11)
            _await("the missed callback to be seen", caller, clerk, path, lambda seen: seen["callback_missed"])
        begins = self.clock.now()
        items = [{"price_code": intent.price["code"], "quantity": 1, "unit_fen": intent.fee_fen}]
        ends = begins + timedelta(hours=8)
        visit = {"visit_from": begins.isoformat(), "visit_to": ends.isoformat(), "items": items}
        caller.post(clerk, f"{path}/agree", intent.key, **visit)
        caller.post(clerk, f"{path}/notice", intent.key)

    @staticmethod
    def _order_id(caller: Caller, head: Person, intent: Intent) -> str:
        found: list[str] = []

        def reached() -> bool:
            page = caller.get(head, "/dispatch/api/work-orders", state="received", limit=1000)
            found[:] = [order["id"] for order in page["items"] if order["request_id"] == intent.request_id]
            return bool(found)

        wait_until(f"the notice of {intent.key} to reach its department", reached, seconds=PATIENCE_SECONDS, every=0.15)
        return found[0]

    def hand_over(self, caller: Caller) -> None:
        """All the cash of these orders goes from the clerks to finance."""
        for team in self.cast.teams:
            for clerk in team.clerks:
                held = [i for i in self.intents if i.receipt_id and i.clerk is clerk]
                if not held:
                    continue
                key, total = f"{self.name} {self.seed}", sum(intent.fee_fen for intent in held)
                offered = caller.post(
                    clerk,
                    "/finance/api/hand-overs",
                    key,
                    site_id=team.site_id,
                    to_person_id=team.cashier.id,
                    receipt_ids=[intent.receipt_id for intent in held],
                )
                caller.post(team.cashier, f"/finance/api/hand-overs/{offered['id']}/count", key, counted_fen=total)
                self.ledger.handed_over_fen += total


class Clock:
    """The simulated clock of the installation: it stands still between two leaps."""

    def __init__(self, read: Callable[[], datetime], leap: Callable[[timedelta], None]) -> None:
        self._read, self._leap = read, leap
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._read()

    def pass_minutes(self, minutes: int) -> None:
        with self._lock:
            self._leap(timedelta(minutes=minutes))


def _await(what: str, caller: Caller, person: Person, path: str, seen: Callable[[Any], bool]) -> None:
    def seen_there() -> bool:
        try:
            return seen(caller.get(person, path))
        except Refused as refused:
            if refused.status != httpx.codes.NOT_FOUND:  # it is not known there yet
                raise
            return False

    wait_until(what, seen_there, seconds=PATIENCE_SECONDS, every=0.15)
