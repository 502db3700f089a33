"""Which request meets which trouble: drawn from the seed alone, so that the same seed plays the same month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random

from bianmin.importing.mapping import Mapped

TAKEN_TRADES = ("water", "electricity", "cleaning", "greening")


class Callback(StrEnum):
    """How the owner is reached."""

    FIRST_CALL = "first_call"
    SECOND_CALL = "second_call"
    TOO_LATE = "too_late"
    CONSULTED = "consulted"
    GAVE_UP = "gave_up"


class Visiting(StrEnum):
    """How the visit goes."""

    DONE = "done"
    DONE_LATE = "done_late"
    BY_TWO = "by_two"
    DUTIES_UNDONE = "duties_undone"
    UNABLE = "unable"
    SAFETY_RESUMED = "safety_resumed"
    SAFETY_ENDED = "safety_ended"
    DECLINED_FIRST = "declined_first"
    FEE_CHANGED = "fee_changed"
    DAMAGE = "damage"
    WITHDRAWN = "withdrawn"


class Paying(StrEnum):
    """How the fee is paid and where the cash goes."""

    CASH = "cash"
    CASHLESS = "cashless"
    TO_WORKER = "to_worker"
    BROUGHT_LATE = "brought_late"
    WITHHELD_THEN_RETURNED = "withheld_then_returned"
    WITHHELD = "withheld"
    CARRIED_OVERNIGHT = "carried_overnight"
    COUNTED_SHORT = "counted_short"
    REFUNDED = "refunded"


class Revisiting(StrEnum):
    """What the owner says at the revisit."""

    SATISFIED = "satisfied"
    NOT_REACHED_FIRST = "not_reached_first"
    PROBLEM = "problem"
    PROBLEM_TWICE = "problem_twice"


@dataclass
class Job:
    """A row of the file in the play: when it comes, what befalls it, and how far it is."""

    row: Mapped
    day: date
    slot: int
    callback: Callback = Callback.FIRST_CALL
    visiting: Visiting = Visiting.DONE
    paying: Paying = Paying.CASH
    revisiting: Revisiting = Revisiting.SATISFIED
    request_id: str = ""
    consultation_id: str = ""
    revisits_said: int = 0
    calls_at_revisit: int = 0
    checked_in: bool = False
    fee_fen: int = 0

    @property
    def key(self) -> str:
        """The row's key in its source."""
        return str(self.row.fields["source_key"])

    @property
    def taken(self) -> bool:
        """Whether it is a trade the company takes on."""
        return self.row.fields["trade"] in TAKEN_TRADES

    @property
    def channel(self) -> str:
        """phone, walk_in or online."""
        return str(self.row.fields["channel"])


def working_days(first: date, last: date) -> list[date]:
    """The days from first to last without Sundays."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day.isoweekday() < 7]


def draw_jobs(
    rows: Sequence[Mapped], *, seed: int, first: date, slots: int, holidays: frozenset[date] = frozenset()
) -> list[Job]:
    """Every row gets a day of the month and a slot; some get a trouble, at least one of each kind.

    On public holidays nobody has duties to leave undone.
    """
    random = Random(seed)  # noqa: S311  # a play, not a secret
    days = working_days(first, first + timedelta(days=25))
    jobs = [Job(row, random.choice(days), random.randrange(slots)) for row in rows]
    jobs.sort(key=lambda job: (job.day, job.slot, job.row.number))
    _draw_troubles(random, [job for job in jobs if job.taken], first, holidays)
    return jobs


def _draw_troubles(random: Random, jobs: list[Job], first: date, holidays: frozenset[date]) -> None:
    """Deal the troubles out; each count is for ninety jobs, and there is at least one where jobs suffice."""

    def some(among: list[Job], per_ninety: int) -> list[Job]:
        count = min(len(among), max(1, round(per_ninety * len(jobs) / 90)))
        return random.sample(among, count)

    def left(attribute: str, plain: StrEnum, among: list[Job]) -> list[Job]:
        return [job for job in among if getattr(job, attribute) is plain]

    called = [job for job in jobs if job.channel != "walk_in"]
    for fate, count in (
        (Callback.TOO_LATE, 5),
        (Callback.SECOND_CALL, 8),
        (Callback.CONSULTED, 4),
        (Callback.GAVE_UP, 2),
    ):
        for job in some(left("callback", Callback.FIRST_CALL, called), count):
            job.callback = fate
    visited = [job for job in jobs if job.callback is not Callback.GAVE_UP]
    early = [job for job in visited if job.day <= first + timedelta(days=14)]
    called_back = [job for job in visited if job.channel != "walk_in"]
    on_duty = [job for job in early if not {job.day + timedelta(days=n) for n in range(4)} & holidays]
    for visiting, count, among in (
        (Visiting.DUTIES_UNDONE, 3, on_duty),
        (Visiting.UNABLE, 2, visited),
        (Visiting.SAFETY_RESUMED, 1, visited),
        (Visiting.SAFETY_ENDED, 1, visited),
        (Visiting.WITHDRAWN, 1, visited),
        (Visiting.DECLINED_FIRST, 2, called_back),
        (Visiting.FEE_CHANGED, 3, visited),
        (Visiting.DAMAGE, 1, early),
        (Visiting.DONE_LATE, 6, visited),
        (Visiting.BY_TWO, 9, visited),
    ):
        for job in some(left("visiting", Visiting.DONE, among), count):
            job.visiting = visiting
    undone = (Visiting.UNABLE, Visiting.SAFETY_ENDED, Visiting.WITHDRAWN)
    paid = [job for job in visited if job.visiting not in undone]
    early = [job for job in paid if job.day <= first + timedelta(days=17)]
    late = [job for job in paid if job.day > first + timedelta(days=17)]
    for paying, count, among in (
        (Paying.BROUGHT_LATE, 1, early),
        (Paying.WITHHELD_THEN_RETURNED, 1, early),
        (Paying.WITHHELD, 1, late),
        (Paying.COUNTED_SHORT, 1, early),
        (Paying.REFUNDED, 1, early),
        (Paying.CARRIED_OVERNIGHT, 1, early),
        (Paying.TO_WORKER, 5, paid),
        (Paying.CASHLESS, 12, paid),
    ):
        for job in some(left("paying", Paying.CASH, among), count):
            job.paying = paying
    for revisiting, count, among in (
        (Revisiting.PROBLEM_TWICE, 1, early),
        (Revisiting.PROBLEM, 6, paid),
        (Revisiting.NOT_REACHED_FIRST, 4, paid),
    ):
        for job in some(left("revisiting", Revisiting.SATISFIED, among), count):
            job.revisiting = revisiting
