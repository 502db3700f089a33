"""The table of regular work that was found undone [R51, R78]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.ids import new_id
from shared.messages import FieldDepartment


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
