"""What the people do, day by day; everything else is done by the services."""

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta

from bianmin.importing.mapping import Mapped, Mapping
from bianmin.month.cast import Cast
from bianmin.month.closing import Closing
from bianmin.month.departments import Departments
from bianmin.month.desk import Desk
from bianmin.month.discipline import Discipline
from bianmin.month.fates import Callback, Job, Visiting, working_days
from bianmin.month.money import Money
from bianmin.month.quiet import World
from bianmin.month.stage import SLOTS, VISITS, PlayedWrong, Stage, see_alerts


class Play:
    """One month of the company."""

    def __init__(self, world: World, cast: Cast, rows: Sequence[Mapped], mapping: Mapping, *, seed: int) -> None:
        self.stage = Stage(world, cast, rows, mapping, seed=seed)
        self.desk = Desk(self.stage)
        self.departments = Departments(self.stage, self.desk)
        self.money = Money(self.stage)
        self.discipline = Discipline(self.stage, self.departments)

    def live(self, *, since: date | None = None, progress: Callable[[date], None] = lambda _: None) -> None:
        """From the first day to the payout, and on until the last owner is satisfied; `since`: those days are over."""
        stage = self.stage
        day = since + timedelta(days=1) if since else stage.first
        while day <= stage.last:
            progress(day)
            self._day(day)
            day += timedelta(days=1)
        Closing(stage).close()
        for _ in range(7):
            if not stage.open_jobs:
                break
            progress(day)
            self._day(day)
            day += timedelta(days=1)
        if stage.open_jobs:
            raise PlayedWrong(f"a week after the month {len(stage.open_jobs)} requests are still open")

    def _day(self, day: date) -> None:
        stage = self.stage
        stage.at(day, time(9), seconds=1)  # what was not handed over last night opens a case
        if day in working_days(day, day):
            self.money.issue_books()
            self.desk.revisits(day)
            self._slot(day, 0)
            self.money.bring_back(day)
            self.money.make_good()
            self.money.refund(day)
            self.money.bring_carried()
            self._visit(day, VISITS[1], stage.visits.pop((day, 1), []))
            self._visit(day, VISITS[0], stage.visits.pop((day, 0), []) + self._reworks())
            self._slot(day, 1)
            self.discipline.day(day)
            self.money.take_in_notices()
            self.money.hand_over(day)
            if day.isoweekday() == 6:
                see_alerts(stage)
        stage.at(day, time(18), seconds=1)  # the daily cash check
        self.money.explain_carried()

    def _slot(self, day: date, slot: int) -> None:
        """Requests come in; owners are called back; heads take the notices."""
        stage = self.stage
        jobs = [job for job in stage.jobs if (job.day, job.slot) == (day, slot)]
        if not jobs and not stage.reworks:
            return
        stage.at(day, SLOTS[slot])
        self.desk.register(jobs)
        taken = [job for job in jobs if job.taken]
        walk_ins = [job for job in taken if job.channel == "walk_in"]
        called = [job for job in taken if job.channel != "walk_in"]
        for job in walk_ins:
            self.desk.agree(job, day, slot)
        for minutes, fates in (
            (4, (Callback.FIRST_CALL, Callback.CONSULTED, Callback.GAVE_UP)),
            (9, (Callback.SECOND_CALL,)),
            (14, (Callback.TOO_LATE,)),
        ):
            now_called = [job for job in called if job.callback in fates]
            not_reached = [job for job in called if job.callback in {Callback.SECOND_CALL, Callback.TOO_LATE}]
            if now_called or (minutes == 4 and (taken or stage.reworks)):
                stage.at(day, SLOTS[slot], minutes=minutes)
                for job in now_called:
                    self.desk.call(job, day, slot)
                if minutes == 4:
                    self.desk.not_reached(not_reached)
                stage.world.settle()
                consulted = [job for job in now_called if job.consultation_id]
                if consulted:
                    self.departments.answer(consulted)
                    self.desk.reply(consulted, day, slot)
                self._assign()
        self._visit(day, SLOTS[slot], walk_ins, minutes=20)

    def _assign(self) -> None:
        """The heads choose who goes; what they decline is agreed anew and comes to them again."""
        declined = self.departments.assign()
        if declined:
            self.desk.agree_anew(declined)
            self.departments.assign()

    def _reworks(self) -> list[Job]:
        if self.stage.reworks:
            self._assign()
        jobs, self.stage.reworks = self.stage.reworks, []
        return jobs

    def _visit(self, day: date, hour: time, jobs: list[Job], *, minutes: int = 0) -> None:
        """The work is done, the owner signs, the desk takes the fee."""
        if not jobs:
            return
        stage = self.stage
        stage.at(day, hour, minutes=minutes)
        orders = self.departments.assigned(jobs)
        for job in jobs:
            if job.visiting is Visiting.DUTIES_UNDONE:
                self.departments.try_without_duties(job, orders[job.request_id])
        withdrawn = [job for job in jobs if job.visiting is Visiting.WITHDRAWN and not orders[job.request_id]["round"]]
        late = [job for job in jobs if job.visiting is Visiting.DONE_LATE]
        visited = [job for job in jobs if job not in withdrawn]
        for job in withdrawn:
            self.desk.withdraw(job)
        for job in visited:
            if job not in late:
                self.departments.start(job, orders[job.request_id], day)
        if late:
            stage.at(day, hour, minutes=minutes + 20)
            for job in late:
                self.departments.start(job, orders[job.request_id], day)
        stage.at(day, hour, minutes=minutes + 35)
        for job in visited:
            self.departments.complete(job, orders[job.request_id])
        stage.world.settle()
        for job in jobs:
            if not orders[job.request_id]["round"] and job.request_id in stage.open_jobs:
                self.money.collect(job, orders[job.request_id])
        stage.world.settle()
