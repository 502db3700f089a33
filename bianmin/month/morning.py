"""The morning after: every desk, phone and till of the company in the middle of its work, left as it is.

The day before leaves what the morning asks about: work that is checked today, and cash that is with finance. Then each
site has its requests at every step, and the clock goes on by itself. Nothing here is part of the month or its audit.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from bianmin.client import Person
from bianmin.month.cast import PRICES, ZONE, Cast, Team
from bianmin.month.fates import working_days
from bianmin.month.owners import SURNAMES
from bianmin.month.quiet import World

DAY_BEFORE = time(8, 45)
AT_WORK = time(9, 5)
"""After nine, when what was not handed over last night opens a case."""
AT_THE_PHONE = time(9, 32)
"""Where the clock is when it is let go."""

MISSED, SOON = 12, 7
"""Minutes owners have waited by then: one longer than ten, one so long that three are left."""

SHORT_FEN = 500
"""What is missing where cash is counted short."""


class Until(StrEnum):
    """How far a job has come."""

    AGREED = "agreed"
    NOTICED = "noticed"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    ON_THE_WAY = "on_the_way"
    AT_HOME = "at_home"
    SUPPORT_ASKED = "support_asked"
    FINISHED = "finished"
    SIGNED = "signed"


BEFORE_THE_HOME = frozenset({Until.AGREED, Until.NOTICED, Until.ACKNOWLEDGED, Until.ASSIGNED, Until.ON_THE_WAY})
"""Nobody has left his regular work yet."""


class Fee(StrEnum):
    """Where the fee of a job that is signed for is."""

    OWED = "owed"
    HELD = "held"
    OFFERED = "offered"
    SHORT = "short"
    WITH_FINANCE = "with_finance"


@dataclass
class Job:
    """A job: its trade, what is wrong, how far it is, the number of its worker in his department, and its fee."""

    trade: str
    words: str
    until: Until
    worker: int = 0
    fee: Fee = Fee.OWED
    request_id: str = ""
    fee_fen: int = 0
    receipt: dict[str, Any] = field(default_factory=dict)


def day_before() -> list[Job]:
    """What was done at a site the day before, and is asked about today."""
    return [
        Job("water", "水龙头关不紧", Until.SIGNED, 1, Fee.WITH_FINANCE),
        Job("electricity", "插座松动", Until.SIGNED, 2, Fee.WITH_FINANCE),
    ]


def at_work() -> list[Job]:
    """What is under way at a site in the morning, from the owner's signature back to the notice not yet issued."""
    return [
        Job("cleaning", "搬家前保洁", Until.SIGNED, 0, Fee.OWED),
        Job("water", "下水管渗水", Until.SIGNED, 1, Fee.HELD),
        Job("electricity", "更换两个插座", Until.SIGNED, 2, Fee.OFFERED),
        Job("greening", "阳台绿植修剪", Until.SIGNED, 1, Fee.SHORT),
        Job("water", "厨房换龙头", Until.FINISHED, 0),
        Job("electricity", "浴室插座进水", Until.SUPPORT_ASKED, 2),
        Job("cleaning", "擦窗户", Until.AT_HOME, 0),
        Job("water", "洗衣机接管", Until.ON_THE_WAY, 3),
        Job("water", "水表后阀门漏水", Until.ASSIGNED, 0),
        Job("electricity", "客厅插座没电", Until.ACKNOWLEDGED),
    ]


def just_agreed() -> list[Job]:
    """What was agreed a moment ago: two notices nobody has acknowledged, and one still to be printed."""
    return [
        Job("water", "马桶水箱漏水", Until.NOTICED),
        Job("greening", "院内绿植换盆", Until.NOTICED),
        Job("water", "换淋浴龙头", Until.AGREED),
    ]


class Morning:
    """The day before, short, and the morning after it; what happens at one site happens at all at the same time."""

    def __init__(self, world: World, cast: Cast) -> None:
        self.world = world
        self.client = world.client
        self.cast = cast
        self.owners: Counter[str] = Counter()
        """How many have come to each site, by its code."""
        self.jobs: dict[str, list[Job]] = {}
        """The jobs worked on last, by the code of the site."""

    def live(self) -> None:
        """Play it, and let the clock go on by itself."""
        before = self._working_day_after(self._at().date())
        today = self._working_day_after(before)
        self._go_to(before, DAY_BEFORE)
        self._work(day_before)
        self._everywhere(self._end_day)
        self._go_to(before, time(18), seconds=1)  # the daily cash check
        self._go_to(today, AT_WORK)
        self._everywhere(self._look_back)
        self._everywhere(self._ask_leader)
        self._change_prices()
        self._work(at_work)
        self._hear()
        self._go_to(today, AT_THE_PHONE, minutes=-MISSED)
        self._everywhere(lambda team: self._register(team, "water", "卫生间反水"))
        self._go_to(today, AT_THE_PHONE, minutes=-SOON)
        self._everywhere(lambda team: self._register(team, "electricity", "电表跳闸"))
        self._go_to(today, AT_THE_PHONE)
        self._everywhere(self._answer_phones)
        self.world.settle()
        self.world.run_clock()

    # --- time and place --------------------------------------------------------------------------------------------

    def _at(self) -> datetime:
        """The moment it is, on the clock of the sites."""
        return self.world.now.astimezone(ZoneInfo(ZONE))

    @staticmethod
    def _working_day_after(day: date) -> date:
        return working_days(day + timedelta(days=1), day + timedelta(days=3))[0]

    def _go_to(self, day: date, hour: time, **later: float) -> None:
        self.world.move_to(datetime.combine(day, hour, ZoneInfo(ZONE)) + timedelta(**later))

    def _everywhere(self, act: Callable[[Team], object]) -> None:
        """Every site does it, none waiting for another."""
        with ThreadPoolExecutor(len(self.cast.teams)) as pool:
            list(pool.map(act, self.cast.teams))

    def _work(self, planned: Callable[[], list[Job]]) -> None:
        """Every site's jobs as planned, each to where it stands; then the money of those that are done."""
        self.jobs = {team.code: planned() for team in self.cast.teams}
        for act in (self._agree_all, self._bring_all, self._collect_all):
            self._everywhere(act)
            self.world.settle()

    # --- the desk --------------------------------------------------------------------------------------------------

    def _register(self, team: Team, trade: str, words: str, *, channel: str = "phone") -> str:
        """An owner with a name and a home of his own; returns the request's id."""
        self.owners[team.code] += 1
        number = self.owners[team.code]
        made = self.client.post(
            team.clerks[number % 2],
            "/intake/api/requests",
            site_id=team.site_id,
            channel=channel,
            owner_name=f"{SURNAMES[number % len(SURNAMES)]}{'女士' if number % 2 else '先生'}",
            phone=f"139{self.cast.teams.index(team):03d}{number:05d}",
            address=f"{number % 18 + 1}-{number % 3 + 1}-{number % 12 + 1}0{number % 4 + 1}",
            description=words,
            trade=trade,
        )
        return str(made["id"])

    def _agree_all(self, team: Team) -> None:
        for job in self.jobs[team.code]:
            self._agree(team, job)

    def _agree(self, team: Team, job: Job) -> None:
        """Time and fee agreed, and the notice printed where it is."""
        waits = job.until is Until.ON_THE_WAY
        later = job.until in {Until.AGREED, Until.NOTICED, Until.ACKNOWLEDGED, Until.ASSIGNED}
        start = self.world.now + (timedelta(hours=1, minutes=30) if later else timedelta(minutes=35))
        job.request_id = self._register(team, job.trade, job.words, channel="walk_in" if waits else "phone")
        price = next(price for price in PRICES if price["trade"] == job.trade)
        path = f"/intake/api/requests/{job.request_id}"
        self.client.post(
            team.clerks[0],
            f"{path}/agree",
            visit_from=start.isoformat(),
            visit_to=(start + timedelta(hours=2)).isoformat(),
            items=[
                {"price_code": price["code"], "quantity": 1, "unit_fen": (price["min_fen"] + price["max_fen"]) // 2}
            ],
            owner_waits=waits,
        )
        if job.until is not Until.AGREED:
            self.client.post(team.clerks[0], f"{path}/notice")

    def _answer_phones(self, team: Team) -> None:
        """Two owners have just called, one is promised a reply, one stands at the desk; three more have agreed."""
        for job in just_agreed():
            self._agree(team, job)
        self._register(team, "water", "换角阀")
        self._register(team, "cleaning", "油烟机清洗", channel="online")
        self._register(team, "greening", "买了绿植想请人养护", channel="walk_in")
        asking = self._register(team, "electricity", "加装插座")
        self.client.post(
            team.clerks[0],
            f"/intake/api/requests/{asking}/consultations",
            question="墙内没有预埋线管，业主问能不能走明线？",
            reply_due_at=(self.world.now + timedelta(minutes=30)).isoformat(),
            owner_was_told=True,
        )

    # --- the departments -------------------------------------------------------------------------------------------

    def _bring_all(self, team: Team) -> None:
        """Every head takes his notices; his workers do their regular work first."""
        by_request = {job.request_id: job for job in self.jobs[team.code]}
        for department, head in team.heads.items():
            workers = team.workers[department]
            orders = self.client.pages(head, "/dispatch/api/work-orders", state="received")
            received = [
                (by_request[order["request_id"]], order) for order in orders if order["request_id"] in by_request
            ]
            for number in sorted({job.worker for job, _ in received if job.until not in BEFORE_THE_HOME}):
                self._do_duties(workers[number])
            for job, order in received:
                self._bring(job, order, head, workers[job.worker])

    def _bring(self, job: Job, order: dict[str, Any], head: Person, worker: Person) -> None:
        """A job from the notice on, as far as it goes."""
        path = f"/dispatch/api/work-orders/{order['id']}"
        until = job.until
        self.client.post(head, f"{path}/acknowledge")
        if until is Until.ACKNOWLEDGED:
            return
        self.client.post(head, f"{path}/assign", workers=[{"person_id": worker.id}])
        if until is Until.ASSIGNED:
            return
        if until is Until.ON_THE_WAY:
            self.client.post(worker, f"{path}/check-in")
            return
        self.client.post(worker, f"{path}/arrive")
        if until is Until.AT_HOME:
            return
        self.client.post(worker, f"{path}/check-materials", complete=True, note="业主已自购")
        if until is Until.SUPPORT_ASKED:
            reason = "线路老化，需再来一名电工"
            self.client.post(worker, f"{path}/stop", reason=reason, for_safety=False)
            return
        self.client.post(worker, f"{path}/finish")
        if until is Until.FINISHED:
            return
        shown = self.client.get(worker, f"{path}/settlement-list")
        signed = self.client.post(
            worker,
            f"{path}/accept",
            signer_name=order["owner_name"],
            relation="owner",
            signature=order["owner_name"],
            shown_hash=shown["hash"],
        )
        job.fee_fen = signed["fee_fen"]
        self.client.post(worker, f"{path}/return")

    def _do_duties(self, worker: Person) -> None:
        """What is prescribed for the day is ticked off, or it is said to be done."""
        prescribed = self.client.get(worker, "/dispatch/api/duties/mine")["duties"]
        for duty in prescribed:
            self.client.post(worker, f"/dispatch/api/duties/{duty['duty_id']}/tick")
        if not prescribed:
            self.client.post(worker, "/dispatch/api/duties/done")

    # --- the money -------------------------------------------------------------------------------------------------

    def _collect_all(self, team: Team) -> None:
        for job in self.jobs[team.code]:
            if job.until is Until.SIGNED and job.fee is not Fee.OWED:
                self._collect(team, job)

    def _collect(self, team: Team, job: Job) -> None:
        """Cash against a receipt; then it is held, offered to the cashier, or counted short at the desk."""
        first, second = team.clerks
        path = f"/finance/api/charges/{job.request_id}"
        facts: dict[str, Any] = {"method": "cash", "amount_fen": job.fee_fen}
        if job.fee is not Fee.SHORT:
            taker = first if job.fee is Fee.HELD else second
            job.receipt = self.client.post(taker, f"{path}/collect", **facts)
            if job.fee is Fee.OFFERED:
                self._offer(team, second, team.cashier, [job])
            return
        worker = team.workers["environment"][job.worker]
        carried = self.client.post(first, f"{path}/carry", worker_id=worker.id)
        job.receipt = self.client.post(worker, f"{path}/collect", **facts, receipt_id=carried["id"])
        counting = f"/finance/api/hand-overs/{self._offer(team, worker, first, [job])}"
        self.client.post(first, f"{counting}/count", counted_fen=job.fee_fen - SHORT_FEN)
        self.client.post(first, f"{counting}/settle-difference", reason="少五元，点了两遍")

    def _offer(self, team: Team, giver: Person, receiver: Person, jobs: Iterable[Job]) -> str:
        """Cash offered to the next in the chain; returns the hand-over's id."""
        offered = self.client.post(
            giver,
            "/finance/api/hand-overs",
            site_id=team.site_id,
            to_person_id=receiver.id,
            receipt_ids=[job.receipt["id"] for job in jobs],
        )
        return str(offered["id"])

    def _end_day(self, team: Team) -> None:
        """Finance takes in its copies of the day's notices, and the cash."""
        jobs = self.jobs[team.code]
        self.client.post(team.cashier, "/finance/api/charges/receive", site_id=team.site_id)
        path = f"/finance/api/hand-overs/{self._offer(team, team.clerks[1], team.cashier, jobs)}/count"
        self.client.post(team.cashier, path, counted_fen=sum(job.fee_fen for job in jobs))

    # --- what follows from the day before, and what others have to decide ------------------------------------------

    def _look_back(self, team: Team) -> None:
        """Of yesterday's jobs one is due for the call, and refunded in part if the leader agrees; of the other the
        owner is not content: it is done again this afternoon. Its fee goes to the bank.
        """
        asked, undone = self.jobs[team.code]
        start = self._at().replace(hour=14, minute=0)
        self.client.post(
            team.clerks[1],
            f"/intake/api/requests/{undone.request_id}/revisit",
            outcome="problem",
            note="插座又松了",
            survey={"quality": 2, "attitude": 5, "price_as_agreed": True},
            visit_from=start.isoformat(),
            visit_to=(start + timedelta(hours=2)).isoformat(),
        )
        self.client.post(
            team.cashier,
            "/finance/api/deposits",
            site_id=team.site_id,
            amount_fen=undone.fee_fen,
            reference=f"CK-{team.code}-{self._at():%Y%m%d}",
        )
        self.client.post(
            team.cashier,
            "/finance/api/refunds",
            receipt_id=asked.receipt["id"],
            amount_fen=asked.fee_fen // 3,
            reason="业主认为多收",
            method="bank",
        )

    def _ask_leader(self, team: Team) -> None:
        """A use of the reserve fund is proposed, and two private jobs are reported."""
        self.client.post(
            team.desk_head,
            "/finance/api/reserve/proposals",
            site_id=team.site_id,
            use="reward",
            amount_fen=1000,
            person_id=team.clerks[1].id,
            reason="受到业主书面表扬",
        )
        for worker in team.workers["engineering"][1:3]:
            self.client.post(
                team.clerks[1],
                "/intake/api/private-job-reports",
                site_id=team.site_id,
                person_id=worker.id,
                happened_at=(self.world.now - timedelta(minutes=40)).isoformat(),
                evidence="业主来电举报私自收费",
            )

    def _change_prices(self) -> None:
        """A change of the price book waits for the leader."""
        items = [price | {"max_fen": price["max_fen"] + 2000} if price["code"] == "tap" else price for price in PRICES]
        day = self._at().date() + timedelta(days=14)
        path = "/finance/api/price-versions"
        self.client.post(self.cast.finance_lead, path, effective_from=day.isoformat(), items=items)

    def _hear(self) -> None:
        """Of the two cases of each site one was heard, and waits for the leader; the other is still to be heard."""
        to_hear = {team.workers["engineering"][2].id for team in self.cast.teams}
        for case in self.client.pages(self.cast.hr, "/hr/api/cases", state="open"):
            if case["person_id"] in to_hear and case["offence"] == "private_job":
                path = f"/hr/api/cases/{case['id']}/hear"
                self.client.post(self.cast.hr, path, statement="业主坚持要给", attended=True)


WAITING = {
    "clerk": "owners to call back, fees to collect, cash in hand, owners to ask",
    "desk_head": "cases, reserve fund, alerts",
    "head": "notices to acknowledge, jobs to assign, a question, support asked for, rework",
    "worker": "his jobs: assigned, at the home, to be signed; cash counted short",
    "cashier": "cash offered to be counted, the till, refunds, deposits",
    "finance_lead": "settlements, ledger, a price change proposed",
    "leader": "prices, refunds and reserve fund to decide, a case that was heard",
    "hr": "a case to hear, payouts paid and delivered",
    "administration": "the month's reports",
    "operator": "messages and deadlines",
    "auditor": "everything, to read",
    "administrator": "sites and people",
}
"""Role -> what he finds in the morning."""
