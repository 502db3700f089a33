"""The tables of revisits, and their deadline [R37]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.intake.models.base import Base
from services.intake.models.request import Request
from shared.ids import new_id
from shared.tasks import Deadline


class Revisit(Base):
    """A call to the owner after a visit was accepted [R37]: satisfied, a problem that means rework, or unreachable."""

    __tablename__ = "revisits"
    __table_args__ = (
        Index("ix_revisits_due", "due_at", postgresql_where=text("listed_at IS NULL AND done_at IS NULL")),
        Index(
            "ix_revisits_listed",
            "due_at",
            "request_id",
            postgresql_where=text("listed_at IS NOT NULL AND done_at IS NULL"),
        ),
        Index(
            "ix_revisits_unreachable",
            "due_at",
            "request_id",
            postgresql_where=text("unreachable_at IS NOT NULL AND done_at IS NULL"),
        ),
        Index("ix_revisits_done_month", "done_month", "site_id"),
        CheckConstraint(
            "(done_at IS NULL) = (satisfied IS NULL) OR (satisfied IS NULL AND unreachable_at IS NOT NULL)",
            name="done_has_answer",
        ),
        CheckConstraint("quality BETWEEN 1 AND 5 AND attitude BETWEEN 1 AND 5", name="one_to_five"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    due_at: Mapped[datetime]
    listed_at: Mapped[datetime | None]
    failed_attempts: Mapped[int] = mapped_column(default=0)
    unreachable_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]
    done_month: Mapped[str | None]
    satisfied: Mapped[bool | None]
    note: Mapped[str | None]
    quality: Mapped[int | None]
    attitude: Mapped[int | None]
    price_as_agreed: Mapped[bool | None]

    request: Mapped[Request] = relationship(lazy="raise", viewonly=True)
    attempts: Mapped[list["RevisitAttempt"]] = relationship(lazy="raise", order_by="RevisitAttempt.id")


class RevisitAttempt(Base):
    """A call after the work that did not reach the owner [R37]; append-only."""

    __tablename__ = "revisit_attempts"
    __table_args__ = (
        ForeignKeyConstraint(["request_id", "round"], ["revisits.request_id", "revisits.round"]),
        Index("ix_revisit_attempts_request_id", "request_id", "round"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID]
    round: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[UUID]
    note: Mapped[str]


REVISIT = Deadline("revisit", Revisit.due_at, or_(Revisit.listed_at.is_not(None), Revisit.done_at.is_not(None)))
