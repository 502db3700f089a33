"""The tables of what happens on a visit: stops, and what the owner was told [R60-R67]."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.ids import new_id


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
