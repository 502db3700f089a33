"""The departments' tables."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, and_, or_, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from services.dispatch.rules.acceptance import Relation
from services.dispatch.rules.work_order import WorkState
from shared.alerts import AlertRow
from shared.api_tokens import ApiTokenRow
from shared.audit import AuditRow
from shared.bus.tables import InboxRow, OperatorActRow, OutboxRow, TickRunRow, UnreadableRow, WorkerRow
from shared.db import TYPES, service_metadata
from shared.idempotency import IdempotencyRow
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.papers import PaperRow
from shared.people import PersonRow, SiteRow
from shared.policy_rows import PolicyRow
from shared.privacy_rows import PrivacyActRow
from shared.sealing import Sealed
from shared.sessions import EndedSessionRow
from shared.tasks import Deadline


class Base(DeclarativeBase):
    """The tables of dispatch."""

    metadata = service_metadata()
    type_annotation_map = TYPES


class Outbox(OutboxRow, Base):
    """Messages we send."""


class Inbox(InboxRow, Base):
    """Messages we received."""


class Unreadable(UnreadableRow, Base):
    """What came to our queue and was no message."""


class Worker(WorkerRow, Base):
    """Our worker processes, as they said last."""


class TickRun(TickRunRow, Base):
    """When the sweeps of our deadlines last acted."""


class OperatorAct(OperatorActRow, Base):
    """What operators did with parked messages; append-only."""


class IdempotencyKey(IdempotencyRow, Base):
    """Answers given to keys."""


class AuditEntry(AuditRow, Base):
    """Every change of our tables."""


class PolicyChange(PolicyRow, Base):
    """Changes of our policies; append-only."""


class PrivacyActDone(PrivacyActRow, Base):
    """What was done with owners' personal data; append-only."""


class Alert(AlertRow, Base):
    """What we told people."""


class Site(SiteRow, Base):
    """Sites, as hr says."""


class Person(PersonRow, Base):
    """People, as hr says."""


class EndedSession(EndedSessionRow, Base):
    """Sessions that ended before their time, as hr says."""


class ApiToken(ApiTokenRow, Base):
    """API tokens, as hr says."""


class IssuedPaper(PaperRow, Base):
    """Papers we issued."""


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


class Assignment(Base):
    """A worker of a job, in the head's order, and his weight in the workers' share [R30, D15]."""

    __tablename__ = "assignments"
    __table_args__ = (
        CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),
        Index("ix_assignments_person_id", "person_id", "work_order_id"),
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


class Decline(Base):
    """The department declined a revision of a notice, with its reason [D27]; append-only."""

    __tablename__ = "declines"
    __table_args__ = {"comment": "append-only"}  # noqa: RUF012  # SQLAlchemy reads it from the class

    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    declined_by: Mapped[UUID]
    declined_at: Mapped[datetime]


class Telling(Base):
    """What a worker asked the owner, or told him of a difficulty, and what he said [R60, R61, R65]; append-only."""

    __tablename__ = "tellings"
    __table_args__ = (Index("ix_tellings_work_order_id", "work_order_id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"))
    kind: Mapped[Literal["asked", "told"]]
    note: Mapped[str]
    said_by: Mapped[UUID]
    said_at: Mapped[datetime]


class Damage(Base):
    """Something of the owner's was damaged on a visit [R63, D24]; append-only."""

    __tablename__ = "damages"
    __table_args__ = (
        CheckConstraint("estimate_fen > 0", name="estimate"),
        Index("ix_damages_work_order_id", "work_order_id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"))
    description: Mapped[str]
    estimate_fen: Mapped[int | None]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]


PhotoKind = Literal["work", "damage", "signature"]


class Photo(Base):
    """A picture of a job, drawn anew from its pixels (shared/uploads.py); here, so that backups have it [R32, R63]."""

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("work_order_id", "sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_orders.id"))
    kind: Mapped[PhotoKind]
    media_type: Mapped[str]
    content: Mapped[bytes]
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    added_by: Mapped[UUID]
    added_at: Mapped[datetime]


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
    signature_sealed: Mapped[str | None]
    signed_hash: Mapped[str]
    presented_by: Mapped[UUID | None]
    """The worker on whose phone it was signed; None: the owner's own, by his link."""
    signed_at: Mapped[datetime]

    signature = Sealed[str | None]("work_order_id")


class OwnerLink(Base):
    """By which link the owner of a request comes to sign: its SHA-256, as the desk says [R32]."""

    __tablename__ = "owner_links"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    link_hash: Mapped[str] = mapped_column(unique=True)
    given_at: Mapped[datetime]


class PrescribedDuty(Base):
    """Regular work of a department at a site, of every worker, of a shift, or of one post's person [R3, R50].

    It holds from the day `since` on, and from the day `until` on no longer.
    """

    __tablename__ = "prescribed_duties"
    __table_args__ = (
        CheckConstraint("shift IN ('day', 'night')", name="shift"),
        Index(
            "uq_prescribed_duties_name",
            "site_id",
            "department",
            "name",
            "person_id",
            "shift",
            unique=True,
            postgresql_where=text("until IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_prescribed_duties_site_id", "site_id", "department"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    name: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    shift: Mapped[Literal["day", "night"] | None]
    since: Mapped[date]
    prescribed_by: Mapped[UUID]
    until: Mapped[date | None]
    retired_by: Mapped[UUID | None]


class DutyTick(Base):
    """A worker did one of his prescribed duties of a day [R50]; append-only."""

    __tablename__ = "duty_ticks"
    __table_args__ = {"comment": "append-only"}  # noqa: RUF012  # SQLAlchemy reads it from the class

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    duty_id: Mapped[UUID] = mapped_column(ForeignKey("prescribed_duties.id"), primary_key=True)
    ticked_at: Mapped[datetime]


class DutyCheck(Base):
    """A head looked at the quality of a worker's day 保质保量 [R50]; the last look counts; append-only."""

    __tablename__ = "duty_checks"
    __table_args__ = (
        CheckConstraint("good OR note IS NOT NULL", name="bad_has_note"),
        Index("ix_duty_checks_person_id", "person_id", "day", "id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    day: Mapped[date]
    good: Mapped[bool]
    note: Mapped[str | None]
    checked_by: Mapped[UUID]
    checked_at: Mapped[datetime]


class Neglect(Base):
    """Regular work of a day was found undone because its worker did paid work [R51, R78]; append-only."""

    __tablename__ = "neglects"
    __table_args__ = (UniqueConstraint("worker_id", "day"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    day: Mapped[date]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    head_id: Mapped[UUID]
    override_id: Mapped[UUID | None] = mapped_column(ForeignKey("duty_overrides.id"))
    reason: Mapped[str]
    found_by: Mapped[UUID]
    found_at: Mapped[datetime]


class HeldCertificate(Base):
    """A certificate an active person holds, as hr says, and when its end is told to him and his head [R66]."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("person_id", "kind", "number", "valid_until"),
        Index("ix_certificates_warn", "warn_at", postgresql_where=text("warned_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str]
    number: Mapped[str]
    valid_until: Mapped[date]
    warn_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]


class DutyDay(Base):
    """A worker for whom nothing is prescribed said that his regular work of a day is done [R50]."""

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
    __table_args__ = (
        Index("ix_consultations_site_id", "site_id", "id"),
        Index("ix_consultations_open", "site_id", "id", postgresql_where=text("answer IS NULL")),
    )

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
CERTIFICATE = Deadline("certificate", HeldCertificate.warn_at, HeldCertificate.warned_at.is_not(None))
