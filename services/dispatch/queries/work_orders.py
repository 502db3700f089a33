"""Work orders as the people concerned see them, each limited to his sites, department or jobs [R27, R30]."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from services.dispatch.models import OPEN, Assignment, WorkOrder
from services.dispatch.queries.damages import DamageView, damage_view
from services.dispatch.rules.access import MAY
from services.dispatch.rules.work_order import WorkState
from shared.access import Own, at_sites_of
from shared.errors import NotFound
from shared.messages import FeeItem
from shared.paging import Page, page_of
from shared.people import Actor
from shared.privacy import mask_phone


@dataclass(frozen=True)
class WorkerView:
    """A worker of a job and his weight."""

    person_id: UUID
    name: str
    weight: int


@dataclass(frozen=True)
class TellingView:
    """What the owner was asked or told at the home, and what he said [R61, R65]."""

    kind: str
    note: str
    said_by: UUID
    said_at: datetime


@dataclass(frozen=True)
class StopView:
    """A worker asked for support, or stopped for safety; over when the head sent support [R66, R67]."""

    worker_id: UUID
    for_safety: bool
    reason: str
    stopped_at: datetime
    resumed_at: datetime | None
    resumed_by: UUID | None


@dataclass(frozen=True)
class OverrideView:
    """A head's leave for a worker to go with his duties undone: what a finding of neglect may cite [D8, R78]."""

    id: UUID
    worker_id: UUID
    head_id: UUID
    reason: str
    overridden_at: datetime


@dataclass(frozen=True)
class WorkOrderView:
    """A work order, whole: the notice's copy, the visit, the signature or the end (fee in fen, 0 for rework)."""

    id: UUID
    request_id: UUID
    round: int
    notice_number: str
    site_id: UUID
    department: str
    trade: str
    channel: str | None
    owner_name: str
    address: str
    phone: str
    description: str
    visit_from: datetime
    visit_to: datetime
    fee_fen: int
    items: list[FeeItem]
    price_version: int | None
    revision: int
    owner_waits: bool
    state: str
    received_at: datetime
    acknowledge_due_at: datetime
    acknowledged_at: datetime | None
    acknowledge_late: bool
    assign_due_at: datetime | None
    assigned_at: datetime | None
    assign_late: bool
    workers: list[WorkerView]
    checked_in_at: datetime | None
    arrive_due_at: datetime
    arrived_at: datetime | None
    arrived_late: bool
    materials_complete: bool | None
    materials_note: str | None
    tellings: list[TellingView]
    damages: list[DamageView]
    finished_at: datetime | None
    accepted_at: datetime | None
    accepted_month: str | None
    signer_name: str | None
    relation: str | None
    signed_hash: str | None
    terminated_at: datetime | None
    cause: str | None
    cancelled_at: datetime | None
    declined_at: datetime | None
    reason: str | None
    returned_at: datetime | None
    returned_by: UUID | None
    stopped_reason: str | None
    stopped_for_safety: bool | None
    stops: list[StopView]
    overrides: int
    overridden: list[OverrideView]


WHOLE = (
    selectinload(WorkOrder.workers),
    selectinload(WorkOrder.stops),
    selectinload(WorkOrder.overrides),
    selectinload(WorkOrder.signature),
    selectinload(WorkOrder.tellings),
    selectinload(WorkOrder.damages),
)


def orders_of(actor: Actor) -> ColumnElement[bool]:
    """The orders a person sees and moves: of his sites, of his department, or those he is assigned to."""
    at_his_sites, own = at_sites_of(actor, WorkOrder.site_id), MAY["read_work_orders"].of(actor)
    if own is Own.DEPARTMENT:
        return and_(at_his_sites, WorkOrder.department == actor.department)
    if own is Own.JOBS:
        return and_(at_his_sites, WorkOrder.workers.any(Assignment.person_id == actor.person_id))
    return at_his_sites


def fee_items(order: WorkOrder) -> list[FeeItem]:
    """The lines of an order's fee."""
    return [FeeItem.model_validate(item) for item in order.items]


def work_order_view(order: WorkOrder) -> WorkOrderView:
    """An order loaded with WHOLE, as shown; the phone number masked until somebody says why he needs it [D26]."""
    signed = order.signature
    stopped = order.stops[-1] if order.stops else None
    return WorkOrderView(
        id=order.id,
        request_id=order.request_id,
        round=order.round,
        notice_number=order.notice_number,
        site_id=order.site_id,
        department=order.department,
        trade=order.trade,
        channel=order.channel,
        owner_name=order.owner_name,
        address=order.address,
        phone=mask_phone(order.phone),
        description=order.description,
        visit_from=order.visit_from,
        visit_to=order.visit_to,
        fee_fen=order.fee_fen,
        items=fee_items(order),
        price_version=order.price_version,
        revision=order.revision,
        owner_waits=order.owner_waits,
        state=order.state,
        received_at=order.received_at,
        acknowledge_due_at=order.acknowledge_due_at,
        acknowledged_at=order.acknowledged_at,
        acknowledge_late=order.acknowledge_late,
        assign_due_at=order.assign_due_at,
        assigned_at=order.assigned_at,
        assign_late=order.assign_late,
        workers=[WorkerView(worker.person_id, worker.name, worker.weight) for worker in order.workers],
        checked_in_at=order.checked_in_at,
        arrive_due_at=order.arrive_due_at,
        arrived_at=order.arrived_at,
        arrived_late=order.arrived_late,
        materials_complete=order.materials_complete,
        materials_note=order.materials_note,
        tellings=[TellingView(row.kind, row.note, row.said_by, row.said_at) for row in order.tellings],
        damages=[damage_view(row) for row in order.damages],
        finished_at=order.finished_at,
        accepted_at=order.accepted_at,
        accepted_month=order.accepted_month,
        signer_name=signed.signer_name if signed else None,
        relation=signed.relation if signed else None,
        signed_hash=signed.signed_hash if signed else None,
        terminated_at=order.terminated_at,
        cause=order.cause,
        cancelled_at=order.cancelled_at,
        declined_at=order.declined_at,
        reason=order.reason,
        returned_at=order.returned_at,
        returned_by=order.returned_by,
        stopped_reason=stopped.reason if stopped else None,
        stopped_for_safety=stopped.for_safety if stopped else None,
        stops=[
            StopView(row.worker_id, row.for_safety, row.reason, row.stopped_at, row.resumed_at, row.resumed_by)
            for row in order.stops
        ],
        overrides=len(order.overrides),
        overridden=[
            OverrideView(row.id, row.worker_id, row.head_id, row.reason, row.overridden_at) for row in order.overrides
        ],
    )


def order_of(session: Session, actor: Actor, work_order_id: UUID, *options: ORMOption) -> WorkOrder:
    """An order of the person asking, as it stands now, loaded with `options`. Raises NotFound."""
    order = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.id == work_order_id, orders_of(actor))
        .options(*options)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise NotFound("work order", work_order_id)
    return order


def work_order_by_id(session: Session, actor: Actor, work_order_id: UUID) -> WorkOrderView:
    """One work order. Raises NotFound when it is none of the person's."""
    return work_order_view(order_of(session, actor, work_order_id, *WHOLE))


def work_orders(
    session: Session,
    actor: Actor,
    *,
    state: str | None,
    after: UUID | None,
    limit: int,
    site_id: UUID | None = None,
    words: str | None = None,
    newest: bool = False,
) -> Page[WorkOrderView]:
    """Work orders in order of receipt, or the newest first: of one state or all, of a site, with `words` in them.

    `words` are looked for in the notice's number, the address and the owner's name.
    """
    query = select(WorkOrder).where(orders_of(actor)).options(*WHOLE)
    if state is not None:
        query = query.where(WorkOrder.state == state)
    if site_id is not None:
        query = query.where(WorkOrder.site_id == site_id)
    if words is not None:
        said = (WorkOrder.notice_number, WorkOrder.address, WorkOrder.owner_name)
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in said)))
    return page_of(session, query, WorkOrder.id, work_order_view, after=after, limit=limit, newest=newest)


def open_orders(session: Session, actor: Actor, *, limit: int) -> list[WorkOrderView]:
    """Orders that have not ended, the visit that is due first first."""
    query = select(WorkOrder).where(orders_of(actor), OPEN).options(*WHOLE)
    return [work_order_view(order) for order in session.scalars(query.order_by(WorkOrder.visit_from).limit(limit))]


def notices_out(session: Session, actor: Actor, *, limit: int) -> list[WorkOrderView]:
    """Jobs that came to their end at a home and whose notice the desk does not have back, the oldest first [R101]."""
    ended = WorkOrder.state.in_((WorkState.ACCEPTED, WorkState.TERMINATED))
    query = select(WorkOrder).where(orders_of(actor), ended, WorkOrder.returned_at.is_(None)).options(*WHOLE)
    return [work_order_view(order) for order in session.scalars(query.order_by(WorkOrder.id).limit(limit))]
