"""The tables of work orders and of those declined, and their deadlines [R29-R33, D27]."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, and_, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.dispatch.models.base import Base
from services.dispatch.rules.work_order import WorkState
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.sealing import Sealed
from shared.tasks import Deadline

if TYPE_CHECKING:
    from services.dispatch.models.acceptance import Signature
    from services.dispatch.models.damage import Damage
    from services.dispatch.models.duty import DutyOverride
    from services.dispatch.models.team import Assignment
    from services.dispatch.models.visit import Stop, Telling


class WorkOrder(Base):
    """The department's copy of a notice 通知单 [R27] and how far the visit has come; round 0 is paid, others free."""

    __tablename__ = "work_orders"
    __table_args__ = (
        UniqueConstraint("request_id", "round"),
        CheckConstraint("fee_fen >= 0 AND (round = 0 OR fee_fen = 0)", name="rework_is_free"),
        CheckConstraint("(round = 0) = (price_version IS NOT NULL)", name="paid_has_price"),
        CheckConstraint("(state = 'accepted') = (accepted_month IS NOT NULL)", name="accepted_has_month"),
        CheckConstraint("(state = 'declined') = (declined_at IS NOT NULL)", name="declined_has_moment"),
        CheckConstraint("(finished_at IS NULL) = (finished_month IS NULL)", name="finished_has_month"),
        CheckConstraint("(state = 'terminated') = (terminated_month IS NOT NULL)", name="terminated_has_month"),
        Index(
            "ix_work_orders_acknowledge",
            "acknowledge_due_at",
            postgresql_where=text(
                "acknowledged_at IS NULL AND NOT acknowledge_late AND cancelled_at IS NULL AND declined_at IS NULL"
            ),
        ),
        Index(
            "ix_work_orders_arrive",
            "arrive_due_at",
            postgresql_where=text(
                "arrived_at IS NULL AND late_noted_at IS NULL AND terminated_at IS NULL"
                " AND cancelled_at IS NULL AND declined_at IS NULL"
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
        Index("ix_work_orders_finished_month", "finished_month"),
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
    phone_sealed: Mapped[str | None]
    description: Mapped[str]
    visit_from: Mapped[datetime]
    visit_to: Mapped[datetime]
    fee_fen: Mapped[int]
    items: Mapped[list] = mapped_column(server_default=text("'[]'"))  # type: ignore[type-arg]  # as NoticeIssued has
    price_version: Mapped[int | None]
    revision: Mapped[int] = mapped_column(server_default=text("0"))
    owner_waits: Mapped[bool] = mapped_column(server_default=text("false"))
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
    materials_complete: Mapped[bool | None]
    materials_note: Mapped[str | None]
    materials_checked_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    finished_month: Mapped[str | None]

    accepted_at: Mapped[datetime | None]
    accepted_month: Mapped[str | None]
    terminated_at: Mapped[datetime | None]
    terminated_month: Mapped[str | None]
    terminated_by: Mapped[UUID | None]
    cause: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None]
    erased_at: Mapped[datetime | None]

    phone = Sealed[str | None]()

    workers: Mapped[list["Assignment"]] = relationship(
        lazy="raise", order_by="Assignment.position", cascade="all, delete-orphan"
    )
    stops: Mapped[list["Stop"]] = relationship(lazy="raise", order_by="Stop.id")
    overrides: Mapped[list["DutyOverride"]] = relationship(lazy="raise", order_by="DutyOverride.id")
    signature: Mapped["Signature | None"] = relationship(lazy="raise")
    tellings: Mapped[list["Telling"]] = relationship(lazy="raise", order_by="Telling.id")
    damages: Mapped[list["Damage"]] = relationship(lazy="raise", order_by="Damage.id")


class Decline(Base):
    """The department declined a revision of a notice, with its reason [D27]; append-only."""

    __tablename__ = "declines"
    __table_args__ = {"comment": "append-only"}  # noqa: RUF012  # SQLAlchemy reads it from the class

    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    declined_by: Mapped[UUID]
    declined_at: Mapped[datetime]


OPEN = and_(WorkOrder.accepted_at.is_(None), WorkOrder.terminated_at.is_(None), WorkOrder.cancelled_at.is_(None))
"""The condition of orders that have not ended; the index `ix_work_orders_open` is theirs."""


ACKNOWLEDGE = Deadline(
    "acknowledgement",
    WorkOrder.acknowledge_due_at,
    or_(
        WorkOrder.acknowledged_at.is_not(None),
        WorkOrder.acknowledge_late,
        WorkOrder.cancelled_at.is_not(None),
        WorkOrder.declined_at.is_not(None),
    ),
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
        WorkOrder.declined_at.is_not(None),
    ),
)
