"""Duty first: nobody leaves his prescribed work undone for a paid job [R50, R51, R68, D8]."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shared.errors import RuleBroken


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
class WorkerDuty:
    """A worker of a job: his shift, the days whose duties he has done, and whether the head overrode them."""

    name: str
    shift: Shift
    done: frozenset[date]
    overridden: bool


def may_go(worker: WorkerDuty, *, here: datetime) -> bool:
    """A paid job may start when his duties of the day are done, or outside his shift, or by the head's override."""
    return worker.shift.day(here) in worker.done or not worker.shift.covers(here.time()) or worker.overridden


def check_duty(team: Iterable[WorkerDuty], *, here: datetime) -> None:
    """Raises RuleBroken, naming the workers whose duties are not done."""
    held = [worker.name for worker in team if not may_go(worker, here=here)]
    if held:
        raise RuleBroken(
            "duty_first",
            f"the duties of the day are not done: {', '.join(held)}",
            rule="R50",
            allowed=["mark_duties_done", "override"],
        )
