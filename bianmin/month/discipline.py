"""Discipline and rewards: cases are opened, heard, decided and accepted or appealed; a reward, a loss made good."""

from datetime import date, datetime, timedelta
from typing import Any

from bianmin.client import Person
from bianmin.month.cast import Team
from bianmin.month.departments import Departments
from bianmin.month.stage import Stage


class Discipline:
    """What the desk reports, the leaders decide and the accused say."""

    def __init__(self, stage: Stage, departments: Departments) -> None:
        self.stage = stage
        self.departments = departments

    def day(self, day: date) -> None:
        """Private jobs of one worker, neglects, cash kept back, a reward and a loss from the reserve fund."""
        first = self.stage.first
        team = self.stage.cast.teams[0]
        if day in (first + timedelta(days=8), first + timedelta(days=16)):
            self._report_private_job(team, team.workers["engineering"][-1])
        self._report_neglects()
        if day == first + timedelta(days=19):
            self._use_reserve(team, use="reward", amount_fen=1500, person_id=team.clerks[0].id)
        if day >= first + timedelta(days=19):
            for job, damage_id in self.departments.damaged:
                self._use_reserve(self.stage.team(job), use="loss", amount_fen=1, damage_id=damage_id)
            self.departments.damaged.clear()
        self.stage.world.settle()
        self._decide_cases()

    def _report_private_job(self, team: Team, accused: Person) -> None:
        """An owner tells the desk; hr opens the case."""
        self.stage.post(
            team.clerks[1],
            "/intake/api/private-job-reports",
            site_id=team.site_id,
            person_id=accused.id,
            happened_at=(self.stage.world.now - timedelta(minutes=5)).isoformat(),
            evidence="业主举报私自接活",
        )

    def _report_neglects(self) -> None:
        """Regular work was left undone: the desk head finds it, once for a worker, citing the override."""
        found = {override["worker_id"]: (job, override) for job, override in self.departments.overridden}
        for job, override in found.values():
            self.stage.post(
                self.stage.team(job).desk_head,
                "/dispatch/api/duty-days/neglect",
                day=self.stage.today().isoformat(),
                reason="当日巡检未做",
                **override,
            )
        self.departments.overridden.clear()

    def _use_reserve(self, team: Team, **facts: Any) -> None:
        """The desk head proposes, the leader approves."""
        path = "/finance/api/reserve/proposals"
        reason = "客服部意见"
        proposed = self.stage.post(team.desk_head, path, site_id=team.site_id, reason=reason, **facts)
        self.stage.post(self.stage.cast.leader, f"{path}/{proposed['id']}/decide", approve=True, reason="同意")

    def _decide_cases(self) -> None:
        """Each is heard first; cash that was merely late, and is back, is let pass; cash still out waits."""
        leader, hr = self.stage.cast.leader, self.stage.cast.hr
        for case in self.stage.client.pages(leader, "/hr/api/cases"):
            if case["state"] != "open":
                continue
            cash = case["offence"] == "withheld_cash"
            if cash and case["cash_returned_at"] is None:
                continue
            late_only = cash and self._days_between(case["opened_at"], case["cash_returned_at"]) < 2
            path = f"/hr/api/cases/{case['id']}"
            self.stage.post(hr, f"{path}/hear", statement="承认属实", attended=True)
            reason = "次日已交回" if late_only else "事实清楚"
            self.stage.post(leader, f"{path}/decide", confirm=not late_only, reason=reason)
            if not late_only:
                self._accept_or_appeal(case, path)
        self.stage.world.settle()

    def _accept_or_appeal(self, case: dict[str, Any], path: str) -> None:
        """Most accept; who is charged a second time with a private job appeals, in vain."""
        accused = self.stage.people[case["person_id"]]
        if case["offence"] == "private_job" and self.stage.today() > self.stage.first + timedelta(days=12):
            self.stage.post(accused, f"{path}/appeal", reason="当时已下班")
            reason = "考勤显示在班"
            self.stage.post(self.stage.cast.second_leader, f"{path}/decide-appeal", uphold=True, reason=reason)
        else:
            self.stage.post(accused, f"{path}/accept")

    @staticmethod
    def _days_between(start: str, end: str) -> int:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days
