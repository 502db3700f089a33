"""The table of what was damaged on a visit [R63, D24]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.ids import new_id


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
