"""The table of who goes on a job [R30, D15]."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base


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
