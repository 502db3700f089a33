"""The settlement list 结算清单 that the owner checks and signs [R31, R32, D23]."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.dispatch.queries.acceptances import settlement_list_by_id
from services.dispatch.queries.work_orders import work_order_by_id
from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.work_order import WorkState
from shared.calendar import local
from shared.people import Actor, site_for
from shared.ui.papers.archive import Paper
from shared.ui.papers.words import department, fee_lines, in_capitals, money, when

RELATIONS = {Relation.OWNER: "业主", Relation.OCCUPANT: "住户", Relation.WITNESSED: "无人能签，有见证人"}
"""Who signed, as the list has it."""


def settlement_list(session: Session, actor: Actor, work_order_id: UUID) -> Paper:
    """What the owner is shown of a job, to be signed or as he signed it. Raises NotFound."""
    order = work_order_by_id(session, actor, work_order_id)
    shown = settlement_list_by_id(session, actor, work_order_id)
    site = site_for(session, actor, order.site_id)
    signed = order.accepted_at is not None
    rework = f"-F{order.round}" if order.round else ""
    return Paper(
        kind="settlement_list",
        thing=str(order.id),
        site=site,
        number=f"{order.notice_number}{rework}",
        day=local(order.received_at, site.zone).date(),
        at=order.accepted_at or order.received_at,
        facts=[shown.hash, order.owner_name, order.address],
        data={
            "notice": order.notice_number,
            "revision": shown.revision,
            "owner": order.owner_name,
            "address": order.address,
            "department": department(order.department),
            "workers": "、".join(worker.name for worker in order.workers),
            "arrived_at": when(order.arrived_at, site.zone),
            "finished_at": when(order.finished_at, site.zone),
            "description": shown.description,
            "items": fee_lines(shown.items),
            "total": money(shown.fee_fen),
            "capitals": in_capitals(shown.fee_fen),
            "materials": shown.materials,
            "signed_at": when(order.accepted_at, site.zone),
            "signer": order.signer_name or "",
            "relation": RELATIONS[Relation(order.relation)] if order.relation else "",
            "hash": shown.hash,
        },
        amount_fen=shown.fee_fen,
        stage="signed" if signed else _stage(order.arrived_at is not None, order.finished_at is not None),
        cancelled=order.state in {WorkState.CANCELLED, WorkState.DECLINED, WorkState.TERMINATED},
    )


def _stage(arrived: bool, finished: bool) -> str:
    return "finished" if finished else "arrived" if arrived else ""
