"""The scheduler: a seed draws what happens next, with faults at first, then without, until all is quiet."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from random import Random
from typing import Any

from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError

from shared.db import SERVICES
from tests.simulation.broker import Broker
from tests.simulation.chance import drawn_from
from tests.simulation.checks import check_always, check_settled, said
from tests.simulation.company import Company
from tests.simulation.hazard import CALM, Crash, NeverEnds, Odds, Strike
from tests.simulation.house import Answer, House
from tests.simulation.people import Act, Pause, Quiet, Story, Town, Until, issue_book

LONGEST = 6_000
"""Steps of a run; one whose stories are not told by then never ends: faults stop at step 1,500 at the latest."""

CHECK_EVERY = 40

WEIGHTS = {"act": 40, "deliver": 30, "pump": 22, "sweep": 4, "time": 10, "purge": 0.2}


class Unanswered(Exception):
    """What took effect was not answered like the first time."""


@dataclass
class Teller:
    """A story under way: what it does next, and whether an answer to it may have been lost."""

    name: str
    story: Story
    next: Any = None
    key: str = ""
    took_effect: bool = False
    keyed: bool = False
    not_before: int = 0
    done: bool = False
    answered: list[tuple[Act, str, Answer]] = field(default_factory=list)


@dataclass
class Result:
    """What came of a seed."""

    seed: int
    events: int
    digest: str
    failure: str = ""
    counts: dict[str, int] = field(default_factory=dict)


class Run:
    """One seed."""

    def __init__(self, seed: int, company: Company, say: Callable[[str], None] = lambda _: None) -> None:
        self.random = Random(f"simulation {seed}")
        self.odds = Odds.draw(self.random)
        self.broker = Broker(self.random)
        self.house = House(self.broker, company.copy())
        self.town = Town(company.cast, self.random, lambda: self.house.now)
        self.tellers: list[Teller] = []
        self.step = 0
        self.keys = 0
        self.counts: dict[str, int] = {}
        self._say = say
        self._digest = sha256()
        self.events = 0
        self._nothing_to_pump: set[str] = set()
        """Services whose pump has nothing to do as things stand: pumping them is a waste of steps."""

    # --- the log --------------------------------------------------------------------------------------------------

    def log(self, what: str) -> None:
        """One event: printed when somebody looks, and part of the digest."""
        line = f"{self.step:5} {self.house.now:%m-%d %H:%M:%S.%f} {what}"
        self.events += 1
        self._digest.update(line.encode() + b"\n")
        self._say(line)

    def count(self, what: str) -> None:
        """One more of it."""
        self.counts[what] = self.counts.get(what, 0) + 1

    @property
    def digest(self) -> str:
        """Of all events so far."""
        return self._digest.hexdigest()

    # --- the run --------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Faults, then calm, then quiet; raises what was broken."""
        with self.house.open(), drawn_from(self.random, lambda: self.house.now):
            founding = said(self.house)
            self.house.pass_time(9 * 3600)
            town, random = self.town, self.random
            stories = [("book", issue_book(town))]
            [requests] = random.choices([1, 2, 3], [5, 3, 2])
            stories += [(f"request {n}", town.request(n)) for n in range(requests)]
            if random.random() < 0.3:
                stories.append(("month end", town.month_end()))
            self.tellers = [Teller(name, story) for name, story in stories]
            for teller in self.tellers:
                self._advance(teller, None)
            calm_at = random.randint(150, 1500)
            self.broker.odds = self.odds
            self.log(f"odds {self.odds}")
            while not all(teller.done for teller in self.tellers):
                if self.step == calm_at:
                    self.calm()
                self.one_step()
                if self.step % CHECK_EVERY == 0:
                    check_always(self.house)
                if self.step > LONGEST:
                    raise NeverEnds("; ".join(f"{t.name}: {t.next}" for t in self.tellers if not t.done))
            self.calm()
            self.house.settle()
            self.log("quiet")
            self.counts["came early"] = self.house.early
            check_settled(self.house, town.cast.auditor, founding)

    def calm(self) -> None:
        """From here on nothing goes wrong."""
        self.house.begin_step()
        self.log("calm")
        self.odds = self.broker.odds = CALM

    def one_step(self) -> None:
        """Something happens."""
        self.step += 1
        random, odds = self.random, self.odds
        if random.random() < odds.wipe:
            self.log(f"the broker is wiped: {self.broker.wipe()} lost")
            self.count("wiped")
            return
        if random.random() < odds.repeat and self._repeat():
            return
        self.house.begin_step(Strike.draw(random) if random.random() < odds.strike else None)
        ready = self._ready()
        weights = dict(WEIGHTS)
        if not ready:
            weights["act"] = 0
        if not self.broker.waiting:
            weights["deliver"] = 0
        if len(self._nothing_to_pump) == len(SERVICES):
            weights["pump"] = 0
        [what] = random.choices(list(weights), list(weights.values()))
        if what == "act":
            self._act(random.choice(ready))
        elif what == "time" or (not ready and random.random() < 0.3):
            self._pass_time()
        else:
            getattr(self, f"_{what}")()
        if self.house.hazard.struck:
            self.count(self.house.hazard.struck)

    @contextmanager
    def _survived(self, what: str) -> Iterator[None]:
        """A step of a worker: whatever ends it, the worker is started again."""
        try:
            yield
        except Crash:
            self.log(f"{what}: crashed {self.house.hazard.struck}")
        except (OperationalError, BrokerError) as error:
            self.log(f"{what}: {type(error).__name__} {self.house.hazard.struck}")
        else:
            self.log(f"{what}: {self.house.hazard.statements} statements")

    def _pump(self) -> None:
        service = self.random.choice([name for name in SERVICES if name not in self._nothing_to_pump])
        with self._survived(f"pump {service}"):
            self.house.pump(service)
            self._nothing_to_pump.add(service)  # it goes on until nothing is due

    def _sweep(self) -> None:
        service = self.random.choice(SERVICES)
        self._nothing_to_pump.discard(service)
        with self._survived(f"sweep {service}"):
            self.house.sweep(service)

    def _purge(self) -> None:
        service = self.random.choice(SERVICES)
        with self._survived(f"purge {service}"):
            self.house.purge(service)

    def _deliver(self) -> None:
        service = self.random.choice(self.broker.waiting)
        self._nothing_to_pump.discard(service)
        task = self.broker.take(service)
        with self._survived(f"deliver {task.name}"):
            try:
                self.house.deliver(service, task)
            except Crash:
                self.broker.worker_died(service, task)
                raise
        self.count("deliveries")

    def _pass_time(self) -> None:
        """Time passes by a little; where nobody could do anything else, until somebody can."""
        leap = self.random.random() < self.odds.leap
        seconds = self.random.uniform(60, 4 * 3600) if leap else self.random.uniform(0.1, 20)
        pumps = self.house.pump_moments()
        if not self.broker.waiting and len(self._nothing_to_pump) == len(SERVICES):
            moments = [moment for moment in pumps.values() if moment] + self._awaited_by_all()
            seconds = max([seconds, *((moment - self.house.now).total_seconds() for moment in sorted(moments)[:1])])
        self.house.pass_time(round(seconds, 3))
        self._nothing_to_pump = {
            service for service, moment in pumps.items() if moment is None or moment > self.house.now
        }
        self.log("time passes")

    def _awaited_by_all(self) -> list[datetime]:
        """The moments people wait for, when nobody has anything to do before."""
        others = [t for t in self.tellers if not t.done and not isinstance(t.next, Until | Quiet)]
        return [] if others else [t.next.moment for t in self.tellers if not t.done and isinstance(t.next, Until)]

    # --- people ---------------------------------------------------------------------------------------------------

    def _ready(self) -> list[Teller]:
        return [teller for teller in self.tellers if self._is_ready(teller)]

    def _is_ready(self, teller: Teller) -> bool:
        if teller.done:
            return False
        match teller.next:
            case Until(moment):
                return self.house.now >= moment
            case Pause():
                return self.step >= teller.not_before
            case Quiet():
                others = [t for t in self.tellers if t is not teller and not t.done]
                return not others and self.step >= teller.not_before
        return True

    def _advance(self, teller: Teller, answer: Answer | None) -> None:
        try:
            teller.next = teller.story.send(answer) if answer is not None else next(teller.story)
        except StopIteration:
            teller.done = True
            self.log(f"{teller.name} is told")
            return
        teller.took_effect = teller.keyed = False
        self.keys += 1
        teller.key = f"key-{self.keys}"
        if isinstance(teller.next, Pause):
            teller.not_before = self.step + self.random.randint(5, 40)

    def _act(self, teller: Teller) -> None:
        if isinstance(teller.next, Quiet) and self.house.unquiet():
            teller.not_before = self.step + 20
            return
        if not isinstance(teller.next, Act):
            self._advance(teller, None)
            return
        act: Act = teller.next
        self._nothing_to_pump.discard(act.path.split("/")[1])
        what = f"{teller.name}: {act.method} {act.path} as {teller.key}"
        try:
            answer = self._ask(act, teller.key)
        except Crash:
            self._answer_is_lost(teller)
            self.log(f"{what}: crashed {self.house.hazard.struck}")
            return
        self.log(f"{what}: {answer.status} {self.house.hazard.struck}")
        self.count("acts")
        if answer.status == 503:
            self._answer_is_lost(teller)
            return
        if teller.took_effect and act.method == "POST":
            answer = self._as_the_first_time(teller, act, answer)
        if act.method == "POST" and answer.keyed and answer.ok:
            teller.answered.append((act, teller.key, answer))
        self._advance(teller, answer)

    def _ask(self, act: Act, key: str) -> Answer:
        return self.house.request(
            act.method,
            act.path,
            token=act.person.token,
            key=key if act.method == "POST" else "",
            body=act.body,
            query=act.query,
        )

    def _answer_is_lost(self, teller: Teller) -> None:
        if self.house.hazard.commits:
            teller.took_effect, teller.keyed = True, self.house.keyed

    def _as_the_first_time(self, teller: Teller, act: Act, answer: Answer) -> Answer:
        """It took effect, and the answer was lost: asked again, the service answers as it would have."""
        self.count("answers lost")
        if teller.keyed and not (answer.ok and answer.replayed):
            raise Unanswered(f"{act.path} took effect, and asked again: {answer}")
        return answer if answer.ok else Answer(200, None, replayed=True, keyed=False)

    def _repeat(self) -> bool:
        """Somebody sends again what was answered: he is answered the same, and nothing happens."""
        answered = [line for teller in self.tellers for line in teller.answered]
        if not answered:
            return False
        act, key, first = self.random.choice(answered)
        self.house.begin_step()
        again = self._ask(act, key)
        self.log(f"again {act.path} as {key}: {again.status}")
        self.count("repeats of people")
        if not again.replayed or (again.status, again.body) != (first.status, first.body):
            raise Unanswered(f"{act.path} was answered {first}, and the same asked again: {again}")
        return True


def simulate(seed: int, company: Company, say: Callable[[str], None] = lambda _: None) -> Result:
    """Play one seed to its end, in a company that is in use."""
    logging.disable(logging.CRITICAL)
    run = Run(seed, company, say)
    failure = ""
    try:
        run.go()
    except Exception as broken:  # noqa: BLE001  # whatever it is, the seed names it
        failure = f"{type(broken).__name__}: {broken}"
        run.log(failure)
    finally:
        logging.disable(logging.NOTSET)
    return Result(seed, run.events, run.digest, failure, run.counts)
