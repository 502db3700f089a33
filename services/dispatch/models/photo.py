"""The table of pictures of a job [R32, R63]."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.ids import new_id

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
