"""The departments' tables."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, and_, or_, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.work_order import WorkState
from shared.alerts import AlertRow
from shared.bus.tables import InboxRow, OutboxRow
from shared.db import TYPES, service_metadata
from shared.idempotency import IdempotencyRow
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.people import PersonRow, SiteRow
from shared.policy_rows import PolicyRow
from shared.tasks import Deadline


class Base(DeclarativeBase):
    """The tables of dispatch."""

    metadata = service_metadata()
    type_annotation_map = TYPES


class Outbox(OutboxRow, Base):
    """Messages we send."""


class Inbox(InboxRow, Base):
    """Messages we received."""


class IdempotencyKey(IdempotencyRow, Base):
    """Answers given to keys."""


class PolicyChange(PolicyRow, Base):
    """Changes of our policies; append-only."""


class Alert(AlertRow, Base):
    """What we told people."""


class Site(SiteRow, Base):
    """Sites, as hr says."""


class Person(PersonRow, Base):
    """People, as hr says."""


class WorkOrder(Base):
    """The department's copy of a notice 通知单 [R27] and how far the visit has come; round 0 is paid, others free."""

    __tablename__ = "work_orders"
    __table_args__ = (
        UniqueConstraint("request_id", "round"),
        CheckConstraint("fee_fen >= 0 AND (round = 0 OR fee_fen = 0)", name="rework_is_free"),
        CheckConstraint("(round = 0) = (price_version IS NOT NULL)", name="paid_has_price"),
        CheckConstraint("(state = 'accepted') = (accepted_month IS NOT NULL)", name="accepted_has_month"),
        CheckConstraint("(state = 'terminated') = (terminated_month IS NOT NULL)", name="terminated_has_month"),
        Index(
            "ix_work_orders_acknowledge",
            "acknowledge_due_at",
            postgresql_where=text("acknowledged_at IS NULL AND NOT acknowledge_late AND cancelled_at IS NULL"),
        ),
        Index(
            "ix_work_orders_arrive",
            "arrive_due_at",
            postgresql_where=text(
                "arrived_at IS NULL AND late_noted_at IS NULL AND terminated_at IS NULL AND cancelled_at IS NULL"
            ),
        ),
        Index(
            "ix_work_orders_assign", "assign_due_at", postgresql_where=text("assigned_at IS NULL AND NOT assign_late")
        ),
        Index(
            "ix_work_orders_open",
            "id",
            postgresql_where=text("accepted_at IS NULL AND terminated_at IS NULL AND cancelled_at IS NULL"),
        ),
        Index("ix_work_orders_site_id", "site_id", "id"),
        Index("ix_work_orders_state", "state", "id"),
        Index("ix_work_orders_accepted_month", "accepted_month", "site_id"),
        Index("ix_work_orders_terminated_month", "terminated_month", "site_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID]
    round: Mapped[int]
    notice_number: Mapped[str]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    trade: Mapped[str]
    channel: Mapped[str | None]
    owner_name: Mapped[str]
    address: Mapped[str]
    phone: Mapped[str]
    description: Mapped[str]
    visit_from: Mapped[datetime]
    visit_to: Mapped[datetime]
    fee_fen: Mapped[int]
    price_code: Mapped[str | None]
    price_version: Mapped[int | None]
    state: Mapped[WorkState]

    received_at: Mapped[datetime]
    acknowledge_due_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None]
    acknowledge_late: Mapped[bool] = mapped_column(server_default=text("false"))

    assign_due_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    assigned_by: Mapped[UUID | None]
    assign_late: Mapped[bool] = mapped_column(server_default=text("false"))

    checked_in_at: Mapped[datetime | None]
    arrive_due_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    arrived_late: Mapped[bool] = mapped_column(server_default=text("false"))
    late_noted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    accepted_at: Mapped[datetime | None]
    accepted_month: Mapped[str | None]
    terminated_at: Mapped[datetime | None]
    terminated_month: Mapped[str | None]
    terminated_by: Mapped[UUID | None]
    cause: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    workers: Mapped[list["Assignment"]] = relationship(
        lazy="raise", order_by="Assignment.position", cascade="all, delete-orphan"
    )
    stops: Mapped[list["Stop"]] = relationship(lazy="raise", order_by="Stop.id")
    overrides: Mapped[list["DutyOverride"]] = relationship(lazy="raise")
    signature: Mapped["Signature | None"] = relationship(lazy="raise")


class Assignment(Base):
    """A worker of a job, in the head's order, and his weight in the workers' share [R30, D15]."""

    __tablename__ = "assignments"
    __table_args__ = (
        CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),
        Index("ix_assignments_person_id", "person_id"),
    )

    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    position: Mapped[int]
    name: Mapped[str]
    weight: Mapped[int]


class Stop(Base):
    """A worker stopped: he needs support, or it is not safe to go on [R66, R67]. Over when the head sent support."""

    __tablename__ = "stops"
    __table_args__ = (
        Index("ix_stops_open", "work_order_id", unique=True, postgresql_where=text("resumed_at IS NULL")),
        Index("ix_stops_work_order_id", "work_order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"))
    worker_id: Mapped[UUID]
    for_safety: Mapped[bool]
    reason: Mapped[str]
    stopped_at: Mapped[datetime]
    resumed_at: Mapped[datetime | None]
    resumed_by: Mapped[UUID | None]


class Signature(Base):
    """The owner's signature on the notice [R32], with the hash of what he signed; append-only."""

    __tablename__ = "signatures"
    __table_args__ = (
        CheckConstraint(
            "relation <> 'witnessed' OR (witness_name IS NOT NULL AND reason IS NOT NULL)", name="witnessed"
        ),
        {"comment": "append-only"},
    )

    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"), primary_key=True)
    signer_name: Mapped[str]
    relation: Mapped[Relation]
    witness_name: Mapped[str | None]
    reason: Mapped[str | None]
    signature: Mapped[str]
    signed_hash: Mapped[str]
    presented_by: Mapped[UUID]
    signed_at: Mapped[datetime]


class DutyDay(Base):
    """A worker did his prescribed duties of a day [R50]."""

    __tablename__ = "duty_days"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]


class DutyOverride(Base):
    """A head lets a worker go to a job with his duties undone [D8]: what a neglect case cites [R78]; append-only."""

    __tablename__ = "duty_overrides"
    __table_args__ = (UniqueConstraint("work_order_id", "worker_id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"))
    worker_id: Mapped[UUID]
    head_id: Mapped[UUID]
    reason: Mapped[str]
    overridden_at: Mapped[datetime]


class Consultation(Base):
    """A question of the desk to a department, and its answer [R19, R23]."""

    __tablename__ = "consultations"
    __table_args__ = (Index("ix_consultations_site_id", "site_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    question: Mapped[str]
    reply_due_at: Mapped[datetime]
    received_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]


OPEN = and_(WorkOrder.accepted_at.is_(None), WorkOrder.terminated_at.is_(None), WorkOrder.cancelled_at.is_(None))
"""The condition of orders that have not ended; the index `ix_work_orders_open` is theirs."""

ACKNOWLEDGE = Deadline(
    "acknowledgement",
    WorkOrder.acknowledge_due_at,
    or_(WorkOrder.acknowledged_at.is_not(None), WorkOrder.acknowledge_late, WorkOrder.cancelled_at.is_not(None)),
)
ASSIGN = Deadline(
    "rework_assignment", WorkOrder.assign_due_at, or_(WorkOrder.assigned_at.is_not(None), WorkOrder.assign_late)
)
ARRIVE = Deadline(
    "arrival",
    WorkOrder.arrive_due_at,
    or_(
        WorkOrder.arrived_at.is_not(None),
        WorkOrder.late_noted_at.is_not(None),
        WorkOrder.terminated_at.is_not(None),
        WorkOrder.cancelled_at.is_not(None),
    ),
)
