"""A department at a site with its head and workers, and its orders brought as far as a test needs them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.dispatch.actions import acceptance, duty, team, visit, work_order
from services.dispatch.models import DutyOverride, DutyTick, PrescribedDuty, Signature, WorkOrder
from services.dispatch.queries.acceptances import settlement_list_by_id
from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.team import Member
from services.dispatch.rules.work_order import ENDED, WorkState
from services.dispatch.tasks import tasks
from shared.alerts import AlertView, alerts_of
from shared.ids import new_id
from shared.messages import NoticeIssued, NoticeRevised, PersonChanged, ReworkOrdered
from shared.people import Actor, hash_token
from tests.people import employ, open_site

NOW = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
"""Ten in the morning in Shanghai, in everybody's shift."""

EVENING = datetime(2026, 4, 1, 11, 0, tzinfo=UTC)
"""Seven in the evening in Shanghai, outside every shift."""


TAP = {"code": "tap", "name": "换水龙头", "unit": "个", "quantity": 1, "unit_fen": 5000, "amount_fen": 5000}
"""The line of the fee."""


def notice(site_id: UUID, **changes: Any) -> NoticeIssued:
    """The department's copy of a notice, for a visit an hour from NOW."""
    facts = {
        "request_id": new_id(),
        "notice_number": "TZ-BK-20260401-0001",
        "site_id": site_id,
        "department": "engineering",
        "trade": "water",
        "channel": "phone",
        "owner_name": "欧阳建国",
        "address": "3-2-1502",
        "phone": "13800138000",
        "description": "水龙头漏水",
        "visit_from": NOW + timedelta(hours=1),
        "visit_to": NOW + timedelta(hours=2),
        "fee_fen": 5000,
        "items": [TAP],
        "price_version": 1,
        "issued_at": NOW,
    }
    return NoticeIssued.model_validate(facts | changes)


def rework(first: NoticeIssued, **changes: Any) -> ReworkOrdered:
    """The first free rework of a notice, to be assigned within two hours of NOW."""
    facts = first.model_dump() | {
        "round": 1,
        "problem": "还在漏水",
        "assign_due_at": NOW + timedelta(hours=2),
        "ordered_at": NOW,
    }
    return ReworkOrdered.model_validate(facts | changes)


def revised(order: WorkOrder, revision: int = 1, **changes: Any) -> NoticeRevised:
    """A revision of an order's notice: the same again, but for the changes."""
    kept = ("request_id", "notice_number", "site_id", "owner_name", "address", "phone", "description")
    agreed = ("visit_from", "visit_to", "fee_fen", "items", "price_version")
    facts = {name: getattr(order, name) for name in kept + agreed}
    facts |= {"revision": revision, "reason": "业主要求", "revised_at": NOW}
    return NoticeRevised.model_validate(facts | changes)


@dataclass
class Crew:
    """The engineering department of a site."""

    session: Session
    site_id: UUID
    head: Actor
    worker: Actor
    mate: Actor

    def receive(self, **changes: Any) -> WorkOrder:
        """An order just received."""
        message = notice(self.site_id, **changes)
        work_order.notice_issued(self.session, message, now=NOW)
        return self.order(message.request_id)

    def order(self, request_id: UUID, round_: int = 0) -> WorkOrder:
        """The order as it is stored now."""
        self.session.flush()
        self.session.expire_all()
        return self.session.query(WorkOrder).filter_by(request_id=request_id, round=round_).one()

    def acknowledge(self, order: WorkOrder, *, now: datetime = NOW) -> WorkOrder:
        return work_order.acknowledge(self.session, work_order_id=order.id, actor=self.head, now=now)

    def assign(self, order: WorkOrder, *members: Member, now: datetime = NOW) -> WorkOrder:
        chosen = members or (Member(self.worker.person_id),)
        return team.assign(self.session, work_order_id=order.id, members=chosen, actor=self.head, now=now)

    def assigned(self, **changes: Any) -> WorkOrder:
        """An order the worker is to do."""
        return self.assign(self.acknowledge(self.receive(**changes)))

    def do_duties(self, actor: Actor | None = None, *, now: datetime = NOW) -> None:
        duty.mark_done(self.session, actor=actor or self.worker, now=now)

    def arrive(self, order: WorkOrder, *, now: datetime = NOW) -> WorkOrder:
        return visit.arrive(self.session, work_order_id=order.id, actor=self.worker, now=now)

    def started(self, **changes: Any) -> WorkOrder:
        """An order under way."""
        order = self.assigned(**changes)
        self.do_duties()
        return self.arrive(order)

    def check_materials(self, order: WorkOrder, *, complete: bool = True, now: datetime = NOW) -> WorkOrder:
        return visit.check_materials(
            self.session, work_order_id=order.id, complete=complete, note=None, actor=self.worker, now=now
        )

    def tell_owner(
        self, order: WorkOrder, *, kind: Literal["asked", "told"] = "told", now: datetime = NOW
    ) -> WorkOrder:
        return visit.tell_owner(
            self.session, work_order_id=order.id, kind=kind, note="管道在墙内,业主知道了", actor=self.worker, now=now
        )

    def stop(self, order: WorkOrder, *, for_safety: bool = False, now: datetime = NOW) -> WorkOrder:
        return visit.stop(
            self.session, work_order_id=order.id, reason="需要电工", for_safety=for_safety, actor=self.worker, now=now
        )

    def finish(self, order: WorkOrder, *, now: datetime = NOW) -> WorkOrder:
        """The work is done; where it was not said before, with all that is needed there."""
        if order.state is WorkState.STARTED and order.materials_complete is None:
            self.check_materials(order, now=now)
        return visit.finish(self.session, work_order_id=order.id, actor=self.worker, now=now)

    def accept(self, order: WorkOrder, *, now: datetime = NOW, **changes: Any) -> Signature:
        facts: dict[str, Any] = {
            "signer_name": "欧阳建国",
            "relation": Relation.OWNER,
            "signature": "<svg/>",
            "witness_name": None,
            "reason": None,
        }
        facts["shown_hash"] = settlement_list_by_id(self.session, self.worker, order.id).hash
        return acceptance.accept(self.session, work_order_id=order.id, actor=self.worker, now=now, **facts | changes)

    def terminate(self, order: WorkOrder, *, now: datetime = NOW, actor: Actor | None = None) -> WorkOrder:
        """The job is given up: at the home as beyond us, of which the owner is told; before, because he wants it so."""
        at_home = order.arrived_at is not None
        if at_home and order.state not in ENDED:
            self.tell_owner(order, now=now)
        return visit.terminate(
            self.session,
            work_order_id=order.id,
            cause="unable" if at_home else "owner",
            reason="管道在墙内",
            actor=actor or self.worker,
            now=now,
        )

    def alerts(self, actor: Actor | None = None) -> list[AlertView]:
        """What a person (the head) has been told and not yet seen."""
        return alerts_of(self.session, actor or self.head, unseen=True, after=None, limit=100).items

    def told(self, actor: Actor | None = None) -> list[str]:
        """The kinds of what he has been told."""
        return [alert.kind for alert in self.alerts(actor)]

    def prescribe(self, name: str = "巡查泵房", **changes: Any) -> PrescribedDuty:
        facts: dict[str, Any] = {"site_id": self.site_id, "person_id": None, "shift": None, "now": NOW}
        return duty.prescribe(self.session, name=name, actor=self.head, **facts | changes)

    def tick(self, prescribed: PrescribedDuty, actor: Actor | None = None, *, now: datetime = NOW) -> DutyTick:
        return duty.tick(self.session, duty_id=prescribed.id, actor=actor or self.worker, now=now)

    def override(self, order: WorkOrder, worker: Actor | None = None) -> DutyOverride:
        return team.override_duty(
            self.session,
            work_order_id=order.id,
            worker_id=(worker or self.worker).person_id,
            reason="爆管",
            actor=self.head,
            now=NOW,
        )

    def certify(self, actor: Actor, until: date | None, *, version: int = 2, **changes: Any) -> None:
        """hr says that a person holds an electrician's certificate until a day, or none."""
        held = [] if until is None else [{"kind": "low_voltage_electrician", "number": "T1", "valid_until": until}]
        facts = {
            "person_id": actor.person_id,
            "version": version,
            "name": actor.name,
            "role": actor.role,
            "department": actor.department,
            "site_ids": sorted(actor.site_ids or ()),
            "all_sites": actor.site_ids is None,
            "active": True,
            "token_hash": hash_token(str(actor.person_id)),
            "shift_start": time(8),
            "shift_end": time(17, 30),
            "certificates": held,
        }
        tasks.handlers["PersonChanged"](self.session, PersonChanged.model_validate(facts | changes), now=NOW)

    def work_from(self, actor: Actor, start: time | None, end: time | None) -> None:
        """Give a person another shift."""
        self.session.execute(
            text("UPDATE people SET shift_start = :start, shift_end = :end WHERE id = :id"),
            {"start": start, "end": end, "id": actor.person_id},
        )


def hire(session: Session, code: str = "BK", *, tokens: bool = False) -> Crew:
    """A new site with its engineering department; with `tokens` each person's token is his part in it."""
    site_id = open_site(session, code)
    return Crew(
        session,
        site_id,
        employ(session, "head", "engineering", site_id, name="工程主管", token="head" if tokens else ""),
        employ(session, "worker", "engineering", site_id, name="张师傅", token="worker" if tokens else ""),
        employ(session, "worker", "engineering", site_id, name="李师傅", token="mate" if tokens else ""),
    )
