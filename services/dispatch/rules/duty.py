"""Duty first: nobody leaves his prescribed work undone for a paid job [R50, R51, R68, D8]."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from shared.errors import Malformed, RuleBroken


@dataclass(frozen=True)
class Shift:
    """A worker's daily working hours on the site's wall clock; one that ends before it starts ends the next day."""

    start: time | None
    end: time | None

    def covers(self, at: time) -> bool:
        """Whether he is at his prescribed work at `at`, its end excluded; a worker without shift never is."""
        if self.start is None or self.end is None:
            return False
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def day(self, here: datetime) -> date:
        """The day whose duties count at the local moment `here`: a night shift belongs to the day it began on."""
        over_midnight = self.start is not None and self.end is not None and self.end <= self.start
        yesterdays = over_midnight and self.end is not None and here.time() < self.end
        return here.date() - timedelta(days=1) if yesterdays else here.date()


@dataclass(frozen=True)
class DutiesOfDay:
    """A worker's duties of a day: how many are prescribed, how many of them he did, what he and the head said.

    `good` is the head's last word on their quality 保质保量, None when he has not looked; `at` is when he last
    ticked one or said they are done.
    """

    prescribed: int = 0
    ticked: int = 0
    stated: bool = False
    good: bool | None = None
    at: datetime | None = None

    @property
    def done(self) -> bool:
        """Every prescribed duty is done, or he says so where none is prescribed; bad work is not done [R50]."""
        said = self.ticked == self.prescribed if self.prescribed else self.stated
        return said and self.good is not False


UNKNOWN = DutiesOfDay()
"""A day nothing is prescribed for and nothing was said of."""


@dataclass(frozen=True)
class WorkerDuty:
    """A worker of a job: his shift, his duties by day, the site's holidays, and whether the head overrode them."""

    name: str
    shift: Shift
    days: Mapping[date, DutiesOfDay] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    overridden: bool = False


def is_on_duty(worker: WorkerDuty, *, here: datetime) -> bool:
    """Whether the prescribed work holds him now: in his shift, or all day when he has none but has duties.

    A public holiday of the site holds nobody [R68].
    """
    day = worker.shift.day(here)
    if day in worker.holidays:
        return False
    if worker.shift.start is None or worker.shift.end is None:
        return worker.days.get(day, UNKNOWN).prescribed > 0
    return worker.shift.covers(here.time())


def may_go(worker: WorkerDuty, *, here: datetime) -> bool:
    """A paid job may start when his duties of the day are done, or off duty, or by the head's override [R50, D8]."""
    done = worker.days.get(worker.shift.day(here), UNKNOWN).done
    return done or worker.overridden or not is_on_duty(worker, here=here)


def check_duty(team: Iterable[WorkerDuty], *, here: datetime) -> None:
    """Raises RuleBroken, naming the workers whose duties are not done."""
    held = [worker.name for worker in team if not may_go(worker, here=here)]
    if held:
        raise RuleBroken(
            "duty_first",
            f"the duties of the day are not done: {', '.join(held)}",
            rule="R50",
            allowed=["tick_duty", "mark_duties_done", "override_duty"],
        )


def check_statement(duties: DutiesOfDay) -> None:
    """Raises RuleBroken when duties are prescribed: each is ticked by itself, one statement is not enough [R50]."""
    if duties.prescribed:
        raise RuleBroken(
            "duties_prescribed", "tick each prescribed duty when it is done", rule="R50", allowed=["tick_duty"]
        )


def check_finding(*, day: date, today: date) -> None:
    """Raises Malformed for a day to come: nobody can have found its work bad or undone."""
    if day > today:
        raise Malformed("day_to_come", f"{day} is still to come", rule="R50")


def check_cited(*, day: date, went_on: date) -> None:
    """Raises RuleBroken when the override cited let the worker go on another day than the one found [R78, D8]."""
    if went_on != day:
        raise RuleBroken("override_of_another_day", f"that override let him go on {went_on}, not on {day}", rule="R78")


def check_quality(*, good: bool, note: str | None) -> None:
    """Raises Malformed when work is called bad without a word on what is bad about it [R50]."""
    if not good and note is None:
        raise Malformed("note_needed", "say what was not good", rule="R50")
