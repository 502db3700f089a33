"""The money: receipt books, the fee against a receipt, cash from hand to hand, differences, refunds."""

from datetime import date, time
from typing import Any

from bianmin.client import Person
from bianmin.month.cast import Team
from bianmin.month.fates import Job, Paying
from bianmin.month.stage import Stage

BOOK = 100
"""Receipts in a book."""

SHORT_FEN = 100
"""What is missing when cash is counted short."""


class Money:
    """What clerks, workers and cashiers do with it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.books: dict[str, int] = {}
        self.kept_back: dict[str, tuple[Person, str, date]] = {}
        self.carried: list[tuple[Job, Person, str]] = []
        self.short: set[str] = set()
        self.differences: list[tuple[Team, str]] = []
        self.refunds: list[tuple[Job, str, date]] = []

    def issue_books(self) -> None:
        """Each desk gets a book of numbered receipts, and another one before it runs out."""
        for team in self.stage.cast.teams:
            issued = self.books.get(team.code, 0)
            used = sum(job.fee_fen > 0 for job in self.stage.jobs if job.row.site_code == team.code)
            if issued - used < BOOK // 2:
                self.stage.post(
                    team.cashier,
                    "/finance/api/receipt-books",
                    site_id=team.site_id,
                    first=issued + 1,
                    last=issued + BOOK,
                )
                self.books[team.code] = issued + BOOK

    def take_in_notices(self) -> None:
        """Finance takes in its copies of the day's notices."""
        for code in sorted(self.stage.noticed_at):
            team = self.stage.team_of[code]
            self.stage.post(team.cashier, "/finance/api/charges/receive", site_id=team.site_id)
        self.stage.noticed_at.clear()

    def collect(self, job: Job, order: dict[str, Any]) -> None:
        """The agreed fee against a numbered receipt: at the desk, or with a receipt the worker carries."""
        clerk = self.stage.clerk(job)
        path = f"/finance/api/charges/{job.request_id}"
        facts: dict[str, Any] = {"method": "cash", "amount_fen": job.fee_fen}
        taker = clerk
        if job.paying is Paying.CASHLESS:
            method = self.stage.draw(job.key, "method").choice(["wechat", "alipay", "bank"])
            facts |= {"method": method, "reference": f"{method}-{job.key}"}
        elif job.paying in {Paying.TO_WORKER, Paying.CARRIED_OVERNIGHT}:
            taker = self.stage.people[order["workers"][0]["person_id"]]
            facts["receipt_id"] = self.stage.post(clerk, f"{path}/carry", worker_id=taker.id)["id"]
        if job.paying is Paying.CARRIED_OVERNIGHT:
            self.carried.append((job, taker, facts["receipt_id"]))
            return
        self._keep_track(job, clerk, self.stage.post(taker, f"{path}/collect", **facts)["id"])

    def _keep_track(self, job: Job, clerk: Person, receipt_id: str) -> None:
        """Remember what is to become of this cash."""
        day = self.stage.today()
        if job.paying in {Paying.BROUGHT_LATE, Paying.WITHHELD_THEN_RETURNED, Paying.WITHHELD}:
            back = {
                Paying.BROUGHT_LATE: self.stage.working_day_after(day),
                Paying.WITHHELD_THEN_RETURNED: self.stage.working_day_after(day, 4),
                Paying.WITHHELD: date.max,
            }[job.paying]
            self.kept_back[receipt_id] = (clerk, self.stage.team(job).code, back)
        elif job.paying is Paying.COUNTED_SHORT:
            self.short.add(receipt_id)
        elif job.paying is Paying.REFUNDED:
            self.refunds.append((job, receipt_id, self.stage.working_day_after(day)))

    def bring_carried(self) -> None:
        """A receipt carried overnight is used the next day: the owner was not at home before."""
        carried, self.carried = self.carried, []
        for job, worker, receipt_id in carried:
            path = f"/finance/api/charges/{job.request_id}/collect"
            self.stage.post(worker, path, method="cash", amount_fen=job.fee_fen, receipt_id=receipt_id)
        if carried:
            self.stage.world.settle()

    def explain_carried(self) -> None:
        """At closing time the desk head says why a receipt is still out: the day cannot close without it."""
        for job, _, receipt_id in self.carried:
            path = f"/finance/api/receipts/{receipt_id}/explain"
            self.stage.post(self.stage.team(job).desk_head, path, reason="业主外出，次日收款")

    def hand_over(self, day: date) -> None:
        """Before closing all cash goes to finance: worker to clerk, clerk to cashier; some keep some back."""
        self.stage.at(day, time(17, 30))
        for team in self.stage.cast.teams:
            for giver, receiver in [
                *((worker, team.clerks[0]) for workers in team.workers.values() for worker in workers),
                *((clerk, team.cashier) for clerk in team.clerks),
            ]:
                held = self._held(team, giver)
                given = [receipt for receipt in held if receipt["id"] not in self.kept_back]
                if given:
                    self._give(team, giver, receiver, given)
        self.stage.world.settle()

    def _held(self, team: Team, holder: Person) -> list[Any]:
        return [
            receipt
            for receipt in self.stage.client.pages(team.cashier, "/finance/api/receipts", holder_id=holder.id)
            if receipt["site_id"] == team.site_id
        ]

    def _give(self, team: Team, giver: Person, receiver: Person, receipts: list[Any]) -> None:
        """Offered, counted without knowing how much it should be; what is short is owned up to by both."""
        post = self.stage.post
        ids = [receipt["id"] for receipt in receipts]
        offered = post(
            giver, "/finance/api/hand-overs", site_id=team.site_id, to_person_id=receiver.id, receipt_ids=ids
        )
        path = f"/finance/api/hand-overs/{offered['id']}"
        counted = sum(receipt["amount_fen"] for receipt in receipts)
        if receiver.id == team.cashier.id and self.short.intersection(ids):
            self.short.difference_update(ids)
            post(receiver, f"{path}/count", counted_fen=counted - SHORT_FEN)
            post(receiver, f"{path}/settle-difference", reason="少一元，双方清点确认")
            post(giver, f"{path}/confirm-difference")
            self.differences.append((team, offered["id"]))
        elif counted % 100 == 0:
            post(receiver, f"{path}/count", notes={"100": counted // 100})
        else:
            post(receiver, f"{path}/count", counted_fen=counted)

    def bring_back(self, day: date) -> None:
        """Cash kept back is brought after all, on the day its fate names."""
        due = {id_: (clerk, code) for id_, (clerk, code, back) in self.kept_back.items() if back <= day}
        for id_, (clerk, code) in due.items():
            team = self.stage.team_of[code]
            del self.kept_back[id_]
            self._give(team, clerk, team.cashier, [r for r in self._held(team, clerk) if r["id"] == id_])
        if due:
            self.stage.world.settle()

    def make_good(self) -> None:
        """What was short is paid by who handed it over."""
        short, self.differences = self.differences, []
        for team, hand_over_id in short:
            for line in self.stage.client.pages(team.cashier, "/finance/api/cash-differences"):
                if line["hand_over_id"] == hand_over_id:
                    path = f"/finance/api/cash-differences/{line['id']}/make-good"
                    self.stage.post(team.cashier, path, counted_fen=SHORT_FEN)
        if short:
            self.stage.world.settle()

    def refund(self, day: date) -> None:
        """A part of a fee is given back out of finance's till; the cashier proposes, the leader decides."""
        due = [line for line in self.refunds if line[2] <= day]
        self.refunds = [line for line in self.refunds if line[2] > day]
        for job, receipt_id, _ in due:
            proposed = self.stage.post(
                self.stage.team(job).cashier,
                "/finance/api/refunds",
                receipt_id=receipt_id,
                amount_fen=job.fee_fen // 3,
                reason="多收，退还部分",
                method="cash",
            )
            path = f"/finance/api/refunds/{proposed['id']}/decide"
            self.stage.post(self.stage.cast.leader, path, approve=True, reason="同意")
        if due:
            self.stage.world.settle()
