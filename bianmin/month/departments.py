"""The departments: notices are acknowledged, declined, assigned; the work is done, signed for, or ends undone."""

from datetime import date
from typing import Any

from bianmin.client import Person
from bianmin.month.desk import Desk
from bianmin.month.fates import Job, Visiting
from bianmin.month.stage import PlayedWrong, Stage


class Departments:
    """What heads and workers do."""

    def __init__(self, stage: Stage, desk: Desk) -> None:
        self.stage = stage
        self.desk = desk
        self.duties_done: set[tuple[str, date]] = set()
        self.overridden: list[tuple[Job, dict[str, Any]]] = []
        self.damaged: list[tuple[Job, str]] = []

    def _orders(self, person: Person, state: str) -> list[Any]:
        return self.stage.client.pages(person, "/dispatch/api/work-orders", state=state)

    def answer(self, jobs: list[Job]) -> None:
        """The heads answer the desk's questions."""
        for job in jobs:
            path = f"/dispatch/api/consultations/{job.consultation_id}/answer"
            self.stage.post(self.stage.head(job), path, answer="大约一小时")
        self.stage.world.settle()

    def assign(self) -> list[tuple[Job, Any]]:
        """Every head acknowledges what came in and assigns it; what he declines, once, is returned."""
        declined = []
        for team in self.stage.cast.teams:
            for department, head in team.heads.items():
                for order in self._orders(head, "received"):
                    job = self.stage.by_request[order["request_id"]]
                    path = f"/dispatch/api/work-orders/{order['id']}"
                    self.stage.post(head, f"{path}/acknowledge")
                    if job.visiting is Visiting.DECLINED_FIRST and not (order["round"] or order["revision"]):
                        self.stage.post(head, f"{path}/decline", reason="当时人手不足")
                        declined.append((job, order))
                        continue
                    workers = self._choose(job, team.workers[department], order["round"])
                    weights = [2 if n == 0 and len(workers) > 1 else 1 for n in range(len(workers))]
                    self.stage.post(
                        head,
                        f"{path}/assign",
                        workers=[
                            {"person_id": worker.id, "weight": weight}
                            for worker, weight in zip(workers, weights, strict=True)
                        ],
                    )
        self.stage.world.settle()
        return declined

    def _choose(self, job: Job, workers: list[Person], round_: int) -> list[Person]:
        """Who goes; another worker for a rework, two where the work needs two."""
        order = list(workers)
        self.stage.draw(job.key, "workers").shuffle(order)
        if round_:
            return [order[round_ % len(order)]]
        return order[:2] if job.visiting is Visiting.BY_TWO else order[:1]

    def assigned(self, jobs: list[Job]) -> dict[str, Any]:
        """The work orders of these jobs, by request. Raises PlayedWrong when one is not assigned."""
        heads = {self.stage.head(job).id: self.stage.head(job) for job in jobs}
        orders = {order["request_id"]: order for head in heads.values() for order in self._orders(head, "assigned")}
        lacking = [job.key for job in jobs if job.request_id not in orders]
        if lacking:
            raise PlayedWrong(f"these requests have no assigned work order to visit for: {lacking}")
        return orders

    def try_without_duties(self, job: Job, order: dict[str, Any]) -> None:
        """A worker leaves his duties undone: refused, until the head overrides, which a neglect case will cite."""
        worker = self.stage.people[order["workers"][0]["person_id"]]
        if order["round"] or (worker.id, self.stage.today()) in self.duties_done:
            return
        path = f"/dispatch/api/work-orders/{order['id']}"
        self._go_with_owner(job, order, worker)
        self.stage.must_refuse("a worker with unfinished duties could start a paid job [R50]", worker, f"{path}/arrive")
        head = self.stage.head(job)
        told = self.stage.post(head, f"{path}/override", worker_id=worker.id, reason="业主催得急")
        self.overridden.append((job, {"worker_id": worker.id, "override_id": told["overridden"][-1]["id"]}))

    def start(self, job: Job, order: dict[str, Any], day: date) -> None:
        """Duties first; then the workers are at the home, and see whether the owner has bought what is needed."""
        path, workers = self._on(order)
        for worker in workers:
            if order["round"] or job.visiting is not Visiting.DUTIES_UNDONE:
                self._do_duties(worker, day)
        self._go_with_owner(job, order, workers[0])
        self.stage.post(workers[0], f"{path}/arrive")
        self.stage.post(workers[0], f"{path}/check-materials", complete=True, note="业主自购")

    def complete(self, job: Job, order: dict[str, Any]) -> None:
        """The rest of the visit, as its fate has it; the owner signs for the fee on the job."""
        path, (first, *_) = self._on(order)
        fate = Visiting.DONE if order["round"] else job.visiting
        if fate in {Visiting.SAFETY_RESUMED, Visiting.SAFETY_ENDED}:
            self.stage.post(first, f"{path}/stop", reason="配电箱带电", for_safety=True)
            if fate is Visiting.SAFETY_RESUMED:
                self.stage.post(self.stage.head(job), f"{path}/resume")
        if fate in {Visiting.SAFETY_ENDED, Visiting.UNABLE}:
            self._end_undone(job, path, first, "safety" if fate is Visiting.SAFETY_ENDED else "unable")
            return
        if fate is Visiting.DAMAGE:
            facts = {"description": "碰坏瓷砖一块", "estimate_fen": 1200}
            told = self.stage.post(first, f"{path}/damage", **facts)
            self.damaged.append((job, told["damages"][-1]["id"]))
        self.stage.post(first, f"{path}/finish")
        self._sign(job, path, first, changes_fee=fate is Visiting.FEE_CHANGED)
        self.stage.post(first, f"{path}/return")

    def _on(self, order: dict[str, Any]) -> tuple[str, list[Person]]:
        """The order's path, and who goes."""
        workers = [self.stage.people[line["person_id"]] for line in order["workers"]]
        return f"/dispatch/api/work-orders/{order['id']}", workers

    def _do_duties(self, worker: Person, day: date) -> None:
        """The regular work of the day first: what is prescribed is ticked off, or it is said to be done."""
        if (worker.id, day) in self.duties_done:
            return
        prescribed = self.stage.client.get(worker, "/dispatch/api/duties/mine")["duties"]
        for duty in prescribed:
            self.stage.post(worker, f"/dispatch/api/duties/{duty['duty_id']}/tick")
        if not prescribed:
            self.stage.post(worker, "/dispatch/api/duties/done")
        self.duties_done.add((worker.id, day))

    def _go_with_owner(self, job: Job, order: dict[str, Any], worker: Person) -> None:
        """Where the owner waits at the desk the worker reports there, once, and they go together."""
        if job.channel == "walk_in" and not order["round"] and not job.checked_in:
            job.checked_in = True
            self.stage.post(worker, f"/dispatch/api/work-orders/{order['id']}/check-in")

    def _end_undone(self, job: Job, path: str, worker: Person, cause: str) -> None:
        """Nothing is billed: the owner was told why, and the notice goes back."""
        self.stage.post(worker, f"{path}/tell-owner", kind="told", note="超出能力范围，已向业主说明")
        self.stage.post(worker, f"{path}/terminate", cause=cause, reason="超出能力范围")
        self.stage.post(worker, f"{path}/return")
        self.stage.open_jobs.discard(job.request_id)

    def _sign(self, job: Job, path: str, worker: Person, *, changes_fee: bool) -> None:
        """The owner is shown the settlement list and signs for it; after a change he is shown it anew."""
        occupant = self.stage.draw(job.key, "signer").random() < 0.2
        signature = {
            "signer_name": job.row.fields["owner_name"],
            "relation": "occupant" if occupant else "owner",
            "signature": f"<svg><!-- {job.key} --></svg>",
        }
        shown = self.stage.client.get(worker, f"{path}/settlement-list")["hash"]
        if changes_fee:
            self.stage.post(worker, f"{path}/tell-owner", kind="told", note="工作量与约定不同")
            self.desk.change_fee(job)
            self.stage.must_refuse(
                "the owner's signature for another fee was taken [D23]",
                worker,
                f"{path}/accept",
                **signature,
                shown_hash=shown,
            )
            shown = self.stage.client.get(worker, f"{path}/settlement-list")["hash"]
        order = self.stage.post(worker, f"{path}/accept", **signature, shown_hash=shown)
        if not order["round"]:
            job.fee_fen = order["fee_fen"]
