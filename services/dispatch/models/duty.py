"""The tables of regular work: prescribed, done, looked at, overridden [R3, R50, D8]."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.ids import new_id
from shared.messages import FieldDepartment


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
