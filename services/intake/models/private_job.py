"""The table of reports of private jobs [R54]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from shared.ids import new_id


class PrivateJobReport(Base):
    """What somebody told the desk of a paid job taken privately [R54]."""

    __tablename__ = "private_job_reports"
    __table_args__ = (
        UniqueConstraint("site_id", "person_id", "happened_at"),
        CheckConstraint("reported_by <> person_id", name="four_eyes"),
        Index("ix_private_job_reports_site_id", "site_id", "id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    happened_at: Mapped[datetime]
    evidence: Mapped[str]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]
