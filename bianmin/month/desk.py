"""The front desk: requests come in, owners are called back, time and fee are agreed, and later they are asked."""

from datetime import date, datetime, timedelta
from typing import Any

from bianmin.importing.sending import send_rows
from bianmin.month.cast import PRICES
from bianmin.month.fates import Callback, Job, Revisiting
from bianmin.month.stage import VISITS, Stage


class Desk:
    """What clerks and desk heads do."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def register(self, jobs: list[Job]) -> None:
        """Phone and walk-in by the clerk's form; online requests come as a list."""
        stage = self.stage
        for job in jobs:
            if job.channel != "online":
                fields = {k: v for k, v in job.row.fields.items() if k not in {"source_key", "asked_at"}}
                made = stage.post(stage.clerk(job), "/intake/api/requests", site_id=stage.team(job).site_id, **fields)
                self._registered(job, made["id"])
        online = [job for job in jobs if job.channel == "online"]
        for team in stage.cast.teams:
            of_site = {job.row.number: job for job in online if job.row.site_code == team.code}
            if of_site:
                told = send_rows(stage.client, team.clerks[0], stage.mapping, [job.row for job in of_site.values()])
                for line in told:
                    self._registered(of_site[line.row], line.request_id)

    def _registered(self, job: Job, request_id: str) -> None:
        job.request_id = request_id
        self.stage.by_request[request_id] = job
        if job.taken:
            self.stage.open_jobs.add(request_id)

    def call(self, job: Job, day: date, slot: int) -> None:
        """The owner is reached: he agrees, is promised a reply, or wants it no more."""
        stage = self.stage
        path = f"/intake/api/requests/{job.request_id}"
        if job.callback is Callback.GAVE_UP:
            stage.post(stage.clerk(job), f"{path}/cancel", reason="业主自行解决")
            stage.open_jobs.discard(job.request_id)
        elif job.callback is Callback.CONSULTED:
            asked = stage.post(
                stage.clerk(job),
                f"{path}/consultations",
                question="这项工作大概要多长时间？",
                reply_due_at=(stage.world.now + timedelta(minutes=30)).isoformat(),
                owner_was_told=True,
            )
            job.consultation_id = asked["id"]
        else:
            self.agree(job, day, slot)

    def not_reached(self, jobs: list[Job]) -> None:
        """A call that did not reach the owner stops no clock."""
        for job in jobs:
            self.stage.post(self.stage.clerk(job), f"/intake/api/requests/{job.request_id}/attempts", note="无人接听")

    def reply(self, jobs: list[Job], day: date, slot: int) -> None:
        """Owners who wait for a department's answer are given it."""
        for job in jobs:
            self.stage.post(self.stage.clerk(job), f"/intake/api/consultations/{job.consultation_id}/reply")
            self.agree(job, day, slot)
        self.stage.world.settle()

    def agree(self, job: Job, day: date, slot: int) -> None:
        """Time and fee agreed, the notice issued."""
        stage = self.stage
        if job.channel == "walk_in":
            start = stage.world.now
        else:
            visit_day = day if slot == 0 else stage.working_day_after(day)
            start = stage.moment(visit_day, VISITS[slot])
            stage.visits[visit_day, slot].append(job)
        clerk = stage.clerk(job)
        stage.post(
            clerk,
            f"/intake/api/requests/{job.request_id}/agree",
            visit_from=start.isoformat(),
            visit_to=(start + timedelta(hours=2)).isoformat(),
            items=self._items(job, "fee"),
            owner_waits=job.channel == "walk_in",
        )
        stage.post(clerk, f"/intake/api/requests/{job.request_id}/notice")
        stage.noticed_at.add(job.row.site_code)

    def _items(self, job: Job, what: str) -> list[dict[str, Any]]:
        """What the fee is made of: one item of the price book, now and then two, or two of one."""
        chance = self.stage.draw(job.key, what)
        prices = [price for price in PRICES if price["trade"] == job.row.fields["trade"]]
        chosen = chance.sample(prices, min(len(prices), 2 if chance.random() < 0.1 else 1))
        return [
            {
                "price_code": price["code"],
                "quantity": 2 if chance.random() < 0.15 else 1,
                "unit_fen": chance.randint(price["min_fen"], price["max_fen"]),
            }
            for price in chosen
        ]

    def agree_anew(self, declined: list[tuple[Job, Any]]) -> None:
        """What a department declined is agreed anew with the owner."""
        stage = self.stage
        for job, order in declined:
            path = f"/intake/api/requests/{job.request_id}/revise"
            later = {
                part: (datetime.fromisoformat(order[part]) + timedelta(minutes=15)).isoformat()
                for part in ("visit_from", "visit_to")
            }
            stage.post(stage.clerk(job), path, **later, reason="改由另一名师傅上门")
        stage.world.settle()

    def change_fee(self, job: Job) -> None:
        """At the home it turns out to be more or less work: the fee is agreed anew, before anything is signed."""
        stage = self.stage
        path = f"/intake/api/requests/{job.request_id}/revise"
        stage.post(stage.clerk(job), path, items=self._items(job, "new fee"), reason="现场情况不同")
        stage.world.settle()

    def revisits(self, day: date) -> None:
        """The desk calls the owners on its list; a problem is reworked the same afternoon."""
        stage = self.stage
        for team in stage.cast.teams:
            for due in stage.client.pages(team.clerks[0], "/intake/api/revisits"):
                self._revisit(stage.by_request[due["request_id"]], day)
        stage.world.settle()

    def _revisit(self, job: Job, day: date) -> None:
        stage = self.stage
        path = f"/intake/api/requests/{job.request_id}/revisit"
        problems = {Revisiting.PROBLEM: 1, Revisiting.PROBLEM_TWICE: 2}.get(job.revisiting, 0)
        chance = stage.draw(job.key, f"survey {job.revisits_said}")
        if job.revisiting is Revisiting.NOT_REACHED_FIRST and not job.calls_at_revisit:
            job.calls_at_revisit += 1
            stage.post(stage.clerk(job), path, outcome="not_reached", note="无人接听")
        elif job.revisits_said < problems:
            job.revisits_said += 1
            start = stage.moment(day, VISITS[0])
            stage.post(
                stage.clerk(job),
                path,
                outcome="problem",
                note="又漏了",
                survey={"quality": chance.randint(1, 2), "attitude": chance.randint(3, 5), "price_as_agreed": True},
                visit_from=start.isoformat(),
                visit_to=(start + timedelta(hours=2)).isoformat(),
            )
            stage.reworks.append(job)
        else:
            survey = {"quality": chance.randint(4, 5), "attitude": chance.randint(4, 5), "price_as_agreed": True}
            stage.post(stage.clerk(job), path, outcome="satisfied", note="满意", survey=survey)
            stage.open_jobs.discard(job.request_id)

    def withdraw(self, job: Job) -> None:
        """The owner withdraws at the last moment."""
        stage = self.stage
        path = f"/intake/api/requests/{job.request_id}/cancel"
        stage.post(stage.clerk(job), path, reason="业主临时取消")
        stage.open_jobs.discard(job.request_id)
