"""The table of wages [D22]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base


class Wage(Base):
    """A person's monthly wage (fen) from a moment on, which the guard on deductions needs [D22]."""

    __tablename__ = "wages"
    __table_args__ = (
        CheckConstraint("changed_by <> person_id", name="four_eyes"),
        CheckConstraint("monthly_wage_fen > 0", name="positive"),
        {"comment": "append-only"},
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    monthly_wage_fen: Mapped[int]
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]
