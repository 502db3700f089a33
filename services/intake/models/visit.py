"""The tables of visits and what was damaged on them, as the departments report [R30-R32, R63]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from shared.messages import FieldDepartment


class Damage(Base):
    """Something of the owner's that was damaged on a visit, as the department reports it [R63, D24]."""

    __tablename__ = "damages"
    __table_args__ = (Index("ix_damages_request_id", "request_id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    round: Mapped[int]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    description: Mapped[str]
    estimate_fen: Mapped[int | None]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]


class Visit(Base):
    """One visit to the home as the department reports it: round 0 for the fee, then free rework [R30-R32, R39]."""

    __tablename__ = "visits"
    __table_args__ = (
        Index("ix_visits_accepted_month", "accepted_month", "site_id"),
        Index("ix_visits_terminated_month", "terminated_month", "site_id"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    ordered_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    workers: Mapped[list | None]  # type: ignore[type-arg]  # [{person_id, name, weight}, …]
    support_requested_at: Mapped[datetime | None]
    support_reason: Mapped[str | None]
    arrived_late: Mapped[bool | None]
    signer_name: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    accepted_month: Mapped[str | None]
    terminated_at: Mapped[datetime | None]
    terminated_month: Mapped[str | None]
    cause: Mapped[str | None]
    reason: Mapped[str | None]
