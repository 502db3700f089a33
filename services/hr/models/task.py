"""The table of what HR carries out for a case, and its deadline [D19]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.hr.models.base import Base, Person
from services.hr.models.case import Case
from services.hr.rules.ladder import PenaltyStep
from shared.ids import new_id
from shared.tasks import Deadline


class HrTask(Base):
    """A step other than money that HR carries out for a case that is final, with evidence [D19]."""

    __tablename__ = "hr_tasks"
    __table_args__ = (
        Index("ix_hr_tasks_due", "due_at", postgresql_where=text("late_at IS NULL AND done_at IS NULL")),
        CheckConstraint("(done_at IS NULL) = (evidence IS NULL)", name="done_has_evidence"),
        CheckConstraint("done_by <> person_id", name="four_eyes"),
        Index("ix_hr_tasks_site_id", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[PenaltyStep]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    due_at: Mapped[datetime]
    late_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]
    evidence: Mapped[str | None]

    case: Mapped[Case] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")


HR_TASK = Deadline("hr_task", HrTask.due_at, or_(HrTask.late_at.is_not(None), HrTask.done_at.is_not(None)))
