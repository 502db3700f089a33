"""The table of questions to a department, and the deadline of the reply [R19, R23]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.tasks import Deadline


class Consultation(Base):
    """A question to a department, with the time by which the owner was promised a reply [R19, R23]."""

    __tablename__ = "consultations"
    __table_args__ = (
        Index("ix_consultations_reply", "reply_due_at", postgresql_where=text("reply_ended_at IS NULL")),
        Index("ix_consultations_request_id", "request_id"),
        Index("ix_consultations_site_id", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    question: Mapped[str]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    reply_due_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    reply_ended_at: Mapped[datetime | None]
    reply_missed: Mapped[bool] = mapped_column(default=False)


REPLY = Deadline("consultation_reply", Consultation.reply_due_at, Consultation.reply_ended_at.is_not(None))
