"""The table of the desk's questions [R19, R23]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.dispatch.models.base import Base
from shared.messages import FieldDepartment


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
