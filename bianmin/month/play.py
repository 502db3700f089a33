"""What the people do, day by day; everything else is done by the services."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bianmin.client import Client, Person, Refused
from bianmin.importing.mapping import Mapped, Mapping
from bianmin.importing.sending import send_rows
from bianmin.month.cast import PRICES, ZONE, Cast, Team
from bianmin.month.fates import Callback, Job, Paying, Revisiting, Visiting, draw_jobs, working_days
from bianmin.month.quiet import World

DEPARTMENT_OF = {
    "water": "engineering",
    "electricity": "engineering",
    "cleaning": "environment",
    "greening": "environment",
}
SLOTS = (time(9, 30), time(14, 40))
"""When requests come in."""

VISITS = (time(14, 0), time(10, 30))
"""When the work agreed in each slot is done: the same afternoon, or the next working morning."""


class PlayedWrong(Exception):
    """The services let something through that the rulebook forbids, or forgot what the play relies on."""


class Play:
    """One month of the company."""

    def __init__(self, world: World, cast: Cast, rows: Sequence[Mapped], mapping: Mapping, *, seed: int) -> None:
        self.world = world
        self.client: Client = world.client
        self.cast = cast
        self.mapping = mapping
        self.seed = seed
        self.first = world.now.astimezone(ZoneInfo(ZONE)).date()
        self.last = (self.first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        self.month = f"{self.first:%Y-%m}"
        self.jobs = draw_jobs(rows, seed=seed, first=self.first, slots=len(SLOTS))
        self.by_request: dict[str, Job] = {}
        self.people = {person.id: person for person in cast.everybody()}
        self.team_of = {team.code: team for team in cast.teams}
        self.duties_done: set[tuple[str, date]] = set()
        self.kept_back: dict[str, tuple[Person, str, date]] = {}
        self.visits: dict[tuple[date, int], list[Job]] = defaultdict(list)
        self.reworks: list[Job] = []
        self.open_jobs: set[str] = set()
        self.neglects: list[tuple[Team, str, dict[str, Any]]] = []

    # --- time and chance -----------------------------------------------------------------------------------------

    def at(self, day: date, hour: time, **later: float) -> None:
        """Move the clock to an hour of a day at the sites, and somewhat later."""
        self.world.move_to(datetime.combine(day, hour, ZoneInfo(ZONE)) + timedelta(**later))

    def draw(self, key: str, what: str) -> Random:
        """Chance for one question, the same for the same seed whatever was drawn before."""
        return Random(f"{self.seed}:{key}:{what}")  # noqa: S311  # a play, not a secret

    def clerk(self, job: Job) -> Person:
        """The clerk who handles the request."""
        return self.draw(job.key, "clerk").choice(self.team(job).clerks)

    def team(self, job: Job) -> Team:
        """The people of the request's site."""
        return self.team_of[job.row.site_code]

    def department(self, job: Job) -> str:
        """The department that does the work."""
        return DEPARTMENT_OF[job.row.fields["trade"]]

    def head(self, job: Job) -> Person:
        """The head of that department at that site."""
        return self.team(job).heads[self.department(job)]

    # --- the month -----------------------------------------------------------------------------------------------

    def live(self, *, progress: Callable[[date], None] = lambda _: None) -> None:
        """From the first day to the payout, and on until the last owner is satisfied."""
        day = self.first
        while day <= self.last:
            progress(day)
            self._day(day)
            day += timedelta(days=1)
        self._close_month()
        for _ in range(7):
            if not self.open_jobs:
                break
            progress(day)
            self._day(day)
            day += timedelta(days=1)
        if self.open_jobs:
            raise PlayedWrong(f"a week after the month {len(self.open_jobs)} requests are still open")

    def _day(self, day: date) -> None:
        self.at(day, time(9), seconds=1)  # what was not handed over last night opens a case
        if day in working_days(day, day):
            self._revisits(day)
            self._slot(day, 0)
            self._bring_back(day)
            self._visit(day, VISITS[1], self.visits.pop((day, 1), []))
            self._visit(day, VISITS[0], self.visits.pop((day, 0), []) + self._take_reworks())
            self._slot(day, 1)
            self._discipline(day)
            self._hand_over(day)
        self.at(day, time(18), seconds=1)  # the daily cash check

    # --- the desk ------------------------------------------------------------------------------------------------

    def _slot(self, day: date, slot: int) -> None:
        """Requests come in; owners are called back; heads take the notices."""
        jobs = [job for job in self.jobs if (job.day, job.slot) == (day, slot)]
        if not jobs and not self.reworks:
            return
        self.at(day, SLOTS[slot])
        self._register(jobs)
        taken = [job for job in jobs if job.taken]
        for job in taken:
            if job.channel == "walk_in":
                self._agree(job, day, slot)
        called = [job for job in taken if job.channel != "walk_in"]
        for minutes, fates in (
            (4, (Callback.FIRST_CALL, Callback.CONSULTED, Callback.GAVE_UP)),
            (9, (Callback.SECOND_CALL,)),
            (14, (Callback.TOO_LATE,)),
        ):
            now_called = [job for job in called if job.callback in fates]
            waiting = [job for job in called if job.callback in {Callback.SECOND_CALL, Callback.TOO_LATE}]
            if now_called or (minutes == 4 and (waiting or taken or self.reworks)):
                self.at(day, SLOTS[slot], minutes=minutes)
                for job in now_called:
                    self._call(job, day, slot)
                if minutes == 4:
                    for job in waiting:
                        self._post(self.clerk(job), f"/intake/api/requests/{job.request_id}/attempts", note="无人接听")
                self.world.settle()
                self._answer_consultations(now_called)
                self._reply(now_called, day, slot)
                self._heads_assign()
        walk_ins = [job for job in taken if job.channel == "walk_in"]
        if walk_ins:
            self._visit(day, SLOTS[slot], walk_ins, minutes=20)

    def _register(self, jobs: list[Job]) -> None:
        """Phone and walk-in by the clerk's form; online requests come as a list."""
        for job in jobs:
            if job.channel != "online":
                fields = {k: v for k, v in job.row.fields.items() if k not in {"source_key", "asked_at"}}
                made = self._post(self.clerk(job), "/intake/api/requests", site_id=self.team(job).site_id, **fields)
                self._registered(job, made["id"])
        online = [job for job in jobs if job.channel == "online"]
        for team in self.cast.teams:
            of_site = {job.row.number: job for job in online if job.row.site_code == team.code}
            if of_site:
                told = send_rows(self.client, team.clerks[0], self.mapping, [job.row for job in of_site.values()])
                for line in told:
                    self._registered(of_site[line.row], line.request_id)

    def _registered(self, job: Job, request_id: str) -> None:
        job.request_id = request_id
        self.by_request[request_id] = job
        if job.taken:
            self.open_jobs.add(request_id)

    def _call(self, job: Job, day: date, slot: int) -> None:
        if job.callback is Callback.GAVE_UP:
            path = f"/intake/api/requests/{job.request_id}/cancel"
            self._post(self.clerk(job), path, reason="业主自行解决 the owner helped himself")
            self.open_jobs.discard(job.request_id)
        elif job.callback is Callback.CONSULTED:
            asked = self._post(
                self.clerk(job),
                f"/intake/api/requests/{job.request_id}/consultations",
                question="这项工作需要多长时间？How long will this take?",
                reply_due_at=(self.world.now + timedelta(minutes=30)).isoformat(),
                owner_was_told=True,
            )
            job.consultation_id = asked["id"]
        else:
            self._agree(job, day, slot)

    def _answer_consultations(self, jobs: list[Job]) -> None:
        asked = [job for job in jobs if job.consultation_id]
        for job in asked:
            path = f"/dispatch/api/consultations/{job.consultation_id}/answer"
            self._post(self.head(job), path, answer="大约一小时 about an hour")
        if asked:
            self.world.settle()

    def _reply(self, jobs: list[Job], day: date, slot: int) -> None:
        asked = [job for job in jobs if job.consultation_id]
        for job in asked:
            self._post(self.clerk(job), f"/intake/api/consultations/{job.consultation_id}/reply")
            self._agree(job, day, slot)
        if asked:
            self.world.settle()

    def _agree(self, job: Job, day: date, slot: int) -> None:
        """Time and fee agreed, the notice issued."""
        price = self.draw(job.key, "price").choice([p for p in PRICES if p["trade"] == job.row.fields["trade"]])
        fee = self.draw(job.key, "fee").randint(price["min_fen"], price["max_fen"])
        if job.channel == "walk_in":
            start = self.world.now
        else:
            visit_day = day if slot == 0 else working_days(day + timedelta(days=1), day + timedelta(days=3))[0]
            start = datetime.combine(visit_day, VISITS[slot], ZoneInfo(ZONE))
            self.visits[visit_day, slot].append(job)
        clerk = self.clerk(job)
        self._post(
            clerk,
            f"/intake/api/requests/{job.request_id}/agree",
            visit_from=start.isoformat(),
            visit_to=(start + timedelta(hours=2)).isoformat(),
            price_code=price["code"],
            fee_fen=fee,
        )
        self._post(clerk, f"/intake/api/requests/{job.request_id}/notice")

    # --- the departments -----------------------------------------------------------------------------------------

    def _orders(self, person: Person, state: str) -> list[Any]:
        return self.client.pages(person, "/dispatch/api/work-orders", state=state)

    def _heads_assign(self) -> None:
        """Every head acknowledges what came in and assigns it."""
        for team in self.cast.teams:
            for department, head in team.heads.items():
                for order in self._orders(head, "received"):
                    job = self.by_request[order["request_id"]]
                    self._post(head, f"/dispatch/api/work-orders/{order['id']}/acknowledge")
                    workers = self._choose(job, team.workers[department], order["round"])
                    self._post(
                        head,
                        f"/dispatch/api/work-orders/{order['id']}/assign",
                        workers=[
                            {"person_id": worker.id, "weight": 2 if i == 0 and len(workers) > 1 else 1}
                            for i, worker in enumerate(workers)
                        ],
                    )
        self.world.settle()

    def _choose(self, job: Job, workers: list[Person], round_: int) -> list[Person]:
        """Who goes; another worker for a rework, two where the work needs two."""
        order = list(workers)
        self.draw(job.key, "workers").shuffle(order)
        if round_:
            return [order[round_ % len(order)]]
        return order[:2] if job.visiting is Visiting.BY_TWO else order[:1]

    def _visit(self, day: date, hour: time, jobs: list[Job], *, minutes: int = 0) -> None:
        """The work is done, the owner signs, the desk takes the fee."""
        if not jobs:
            return
        self.at(day, hour, minutes=minutes)
        orders = self._assigned_orders(jobs)
        if any(job.visiting is Visiting.DUTIES_UNDONE for job in jobs):
            self._try_without_duties([job for job in jobs if job.visiting is Visiting.DUTIES_UNDONE], orders)
        for job in jobs:
            if job.visiting is Visiting.WITHDRAWN and not orders[job.request_id]["round"]:
                path = f"/intake/api/requests/{job.request_id}/cancel"
                self._post(self.clerk(job), path, reason="业主临时取消 the owner withdrew")
                self.open_jobs.discard(job.request_id)
            elif job.visiting is not Visiting.DONE_LATE:
                self._work(job, orders[job.request_id], day)
        late = [job for job in jobs if job.visiting is Visiting.DONE_LATE]
        if late:
            self.at(day, hour, minutes=minutes + 20)
            for job in late:
                self._work(job, orders[job.request_id], day)
        self.world.settle()
        for job in jobs:
            if not orders[job.request_id]["round"] and job.request_id in self.open_jobs:
                self._collect(job, orders[job.request_id])
        self.world.settle()

    def _assigned_orders(self, jobs: list[Job]) -> dict[str, Any]:
        heads = {self.head(job).id: self.head(job) for job in jobs}
        orders = {order["request_id"]: order for head in heads.values() for order in self._orders(head, "assigned")}
        lacking = [job.key for job in jobs if job.request_id not in orders]
        if lacking:
            raise PlayedWrong(f"these requests have no assigned work order to visit for: {lacking}")
        return orders

    def _try_without_duties(self, jobs: list[Job], orders: dict[str, Any]) -> None:
        """A worker leaves his duties undone: refused, until the head overrides, which a neglect case will cite."""
        for job in jobs:
            order = orders[job.request_id]
            if order["round"]:
                continue
            worker = self.people[order["workers"][0]["person_id"]]
            path = f"/dispatch/api/work-orders/{order['id']}"
            if (worker.id, self.world.now.date()) in self.duties_done:
                continue
            try:
                self._post(worker, f"{path}/arrive")
            except Refused as refused:
                if refused.status != 409:
                    raise
            else:
                raise PlayedWrong("a worker with unfinished duties could start a paid job [R50]")
            self._post(
                self.head(job), f"{path}/override", worker_id=worker.id, reason="业主催得急 the owner is pressing"
            )
            self.neglects.append((self.team(job), self.department(job), order))

    def _work(self, job: Job, order: dict[str, Any], day: date) -> None:
        """One visit, as its fate has it."""
        path = f"/dispatch/api/work-orders/{order['id']}"
        workers = [self.people[line["person_id"]] for line in order["workers"]]
        first = workers[0]
        rework = order["round"] > 0
        for worker in workers:
            if (worker.id, day) not in self.duties_done and (rework or job.visiting is not Visiting.DUTIES_UNDONE):
                self._post(worker, "/dispatch/api/duties/done")
                self.duties_done.add((worker.id, day))
        if job.channel == "walk_in" and not rework:
            self._post(first, f"{path}/check-in")
        self._post(first, f"{path}/arrive")
        if not rework and job.visiting in {Visiting.SAFETY_RESUMED, Visiting.SAFETY_ENDED}:
            self._post(first, f"{path}/stop", reason="配电箱带电 the box is live", for_safety=True)
            if job.visiting is Visiting.SAFETY_RESUMED:
                self._post(self.head(job), f"{path}/resume")
        if not rework and job.visiting in {Visiting.SAFETY_ENDED, Visiting.UNABLE}:
            cause = "safety" if job.visiting is Visiting.SAFETY_ENDED else "unable"
            self._post(first, f"{path}/terminate", cause=cause, reason="超出能力范围 beyond our ability")
            self.open_jobs.discard(job.request_id)
            return
        self._post(first, f"{path}/finish")
        occupant = self.draw(job.key, "signer").random() < 0.2
        self._post(
            first,
            f"{path}/accept",
            signer_name=job.row.fields["owner_name"],
            relation="occupant" if occupant else "owner",
            signature=f"<svg><!-- {job.key} --></svg>",
        )

    # --- money ---------------------------------------------------------------------------------------------------

    def _collect(self, job: Job, order: dict[str, Any]) -> None:
        """The agreed fee against a numbered receipt: at the desk, or with a receipt the worker carries."""
        clerk = self.clerk(job)
        path = f"/finance/api/charges/{job.request_id}"
        facts: dict[str, Any] = {"method": "cash", "amount_fen": order["fee_fen"]}
        taker = clerk
        if job.paying is Paying.CASHLESS:
            method = self.draw(job.key, "method").choice(["wechat", "alipay", "bank"])
            facts |= {"method": method, "reference": f"{method}-{job.key}"}
        elif job.paying is Paying.TO_WORKER:
            taker = self.people[order["workers"][0]["person_id"]]
            facts["receipt_id"] = self._post(clerk, f"{path}/carry", worker_id=taker.id)["id"]
        receipt = self._post(taker, f"{path}/collect", **facts)
        if job.paying in {Paying.BROUGHT_LATE, Paying.WITHHELD_THEN_RETURNED, Paying.WITHHELD}:
            day = self.world.now.astimezone(ZoneInfo(ZONE)).date()
            back = {
                Paying.BROUGHT_LATE: working_days(day + timedelta(days=1), day + timedelta(days=3))[0],
                Paying.WITHHELD_THEN_RETURNED: working_days(day + timedelta(days=4), day + timedelta(days=7))[0],
                Paying.WITHHELD: date.max,
            }[job.paying]
            self.kept_back[receipt["id"]] = (clerk, self.team(job).code, back)

    def _hand_over(self, day: date) -> None:
        """Before closing all cash goes to finance: worker to clerk, clerk to cashier; some keep some back."""
        self.at(day, time(17, 30))
        for team in self.cast.teams:
            for giver, receiver in [
                *((worker, team.clerks[0]) for workers in team.workers.values() for worker in workers),
                *((clerk, team.cashier) for clerk in team.clerks),
            ]:
                held = self._held(team, giver)
                given = [receipt for receipt in held if receipt["id"] not in self.kept_back]
                if given:
                    self._give(team, giver, receiver, given)
        self.world.settle()

    def _held(self, team: Team, holder: Person) -> list[Any]:
        return [
            receipt
            for receipt in self.client.pages(team.cashier, "/finance/api/receipts", holder_id=holder.id)
            if receipt["site_id"] == team.site_id
        ]

    def _give(self, team: Team, giver: Person, receiver: Person, receipts: list[Any]) -> None:
        offered = self._post(
            giver,
            "/finance/api/hand-overs",
            site_id=team.site_id,
            to_person_id=receiver.id,
            receipt_ids=[receipt["id"] for receipt in receipts],
        )
        counted = sum(receipt["amount_fen"] for receipt in receipts)
        self._post(receiver, f"/finance/api/hand-overs/{offered['id']}/count", counted_fen=counted)

    def _bring_back(self, day: date) -> None:
        """Cash kept back is brought after all, on the day its fate names."""
        due = {id_: (clerk, code) for id_, (clerk, code, back) in self.kept_back.items() if back <= day}
        for id_, (clerk, code) in due.items():
            team = self.team_of[code]
            del self.kept_back[id_]
            self._give(team, clerk, team.cashier, [r for r in self._held(team, clerk) if r["id"] == id_])
        if due:
            self.world.settle()

    # --- revisits ------------------------------------------------------------------------------------------------

    def _revisits(self, day: date) -> None:
        """The desk calls the owners on its list; a problem is reworked the same afternoon."""
        for team in self.cast.teams:
            for due in self.client.get(team.clerks[0], "/intake/api/revisits"):
                self._revisit(self.by_request[due["request_id"]], day)
        self.world.settle()

    def _revisit(self, job: Job, day: date) -> None:
        path = f"/intake/api/requests/{job.request_id}/revisit"
        problems = {Revisiting.PROBLEM: 1, Revisiting.PROBLEM_TWICE: 2}.get(job.revisiting, 0)
        if job.revisiting is Revisiting.NOT_REACHED_FIRST and not job.calls_at_revisit:
            job.calls_at_revisit += 1
            self._post(self.clerk(job), path, outcome="not_reached", note="无人接听")
        elif job.revisits_said < problems:
            job.revisits_said += 1
            start = datetime.combine(day, VISITS[0], ZoneInfo(ZONE))
            self._post(
                self.clerk(job),
                path,
                outcome="problem",
                note="又漏了 it leaks again",
                visit_from=start.isoformat(),
                visit_to=(start + timedelta(hours=2)).isoformat(),
            )
            self.reworks.append(job)
        else:
            self._post(self.clerk(job), path, outcome="satisfied", note="满意 satisfied")
            self.open_jobs.discard(job.request_id)

    def _take_reworks(self) -> list[Job]:
        if self.reworks:
            self._heads_assign()
        jobs, self.reworks = self.reworks, []
        return jobs

    # --- discipline, rewards, month end --------------------------------------------------------------------------

    def _discipline(self, day: date) -> None:
        """Private jobs of one worker, a neglect, cash kept back, and a reward from the reserve fund."""
        team = self.cast.teams[0]
        if day in (self.first + timedelta(days=8), self.first + timedelta(days=16)):
            self._open_case(team, team.workers["engineering"][-1], "private_job", "业主举报私自接活 seen at a home")
        for neglected, department, order in self.neglects:
            self._open_case(neglected, neglected.heads[department], "neglect", f"派工单 {order['notice_number']}")
        self.neglects.clear()
        if day == self.first + timedelta(days=19):
            proposed = self._post(
                team.desk_head,
                "/finance/api/reserve/proposals",
                site_id=team.site_id,
                use="reward",
                person_id=team.clerks[0].id,
                amount_fen=1500,
                reason="接待周到 good service at the desk",
            )
            path = f"/finance/api/reserve/proposals/{proposed['id']}/decide"
            self._post(self.cast.leader, path, approve=True, reason="同意 agreed")
        self.world.settle()
        self._decide_cases()

    def _open_case(self, team: Team, accused: Person, offence: str, evidence: str) -> None:
        self._post(
            team.desk_head,
            "/hr/api/cases",
            offence=offence,
            site_id=team.site_id,
            person_id=accused.id,
            happened_at=self.world.now.isoformat(),
            in_working_hours=True,
            evidence=evidence,
        )

    def _decide_cases(self) -> None:
        """The leader confirms; cash that was merely late, and is back, is let pass; cash still out waits."""
        for case in self.client.pages(self.cast.leader, "/hr/api/cases"):
            if case["state"] != "open":
                continue
            cash = case["offence"] == "withheld_cash"
            if cash and case["cash_returned_at"] is None:
                continue
            late_only = cash and self._days_between(case["opened_at"], case["cash_returned_at"]) < 2
            path = f"/hr/api/cases/{case['id']}/decide"
            reason = "次日已交回 returned the next day" if late_only else "事实清楚 the facts are clear"
            self._post(self.cast.leader, path, confirm=not late_only, reason=reason)
        self.world.settle()

    @staticmethod
    def _days_between(start: str, end: str) -> int:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days

    def _close_month(self) -> None:
        """Four departments sign, desk and finance agree, finance computes, the leader approves, HR is sent."""
        self.at(self.last, time(18, 30), seconds=1)
        for team in self.cast.teams:
            signers = [team.desk_head, *team.heads.values(), self.cast.finance_lead]
            for signer in signers:
                self._post(signer, f"/intake/api/months/{self.month}/sites/{team.site_id}/sign")
        self.world.settle()
        for team in self.cast.teams:
            path = f"/finance/api/settlements/{team.site_id}/{self.month}"
            self._post(team.desk_head, f"{path}/agree-accounts")
            self._post(self.cast.finance_lead, f"{path}/agree-accounts")
            self._post(self.cast.finance_lead, f"{path}/compute")
            self._post(self.cast.leader, f"{path}/approve")
        self.world.settle()

    def _post(self, person: Person, path: str, **body: Any) -> Any:
        return self.client.post(person, path, **body)
