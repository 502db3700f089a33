"""The tables of the month's statistics, and the deadline of its end [R40-R43]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from services.intake.rules.statistics import Item, LineStep
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.tasks import Deadline


class Month(Base):
    """A site's month of statistics: asked at its end, signed by four departments, then reported [R40-R43]."""

    __tablename__ = "months"
    __table_args__ = (Index("ix_months_close", "closes_at", postgresql_where=text("asked_at IS NULL")),)

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    closes_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    report: Mapped[dict | None]  # type: ignore[type-arg]
    report_lines: Mapped[list | None]  # type: ignore[type-arg]


class MonthFigure(Base):
    """A figure of the month given by the department that counted it."""

    __tablename__ = "month_figures"

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    asked_at: Mapped[datetime]


class MonthSignature(Base):
    """A department agrees with the month's statistics; nobody for two [R41, D18]."""

    __tablename__ = "month_signatures"
    __table_args__ = (Index("uq_month_signatures_four_eyes", "site_id", "month", "signed_by", unique=True),)

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    signed_by: Mapped[UUID]
    signed_at: Mapped[datetime]


class LineEntry(Base):
    """What was said of a line of the month's statistics: disputed, a figure proposed, accepted [R41]; append-only."""

    __tablename__ = "line_entries"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "month"], ["months.site_id", "months.month"]),
        Index("ix_line_entries_month", "site_id", "month", "sequence"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sequence: Mapped[int] = mapped_column(
        Identity()
    )  # the order in which it was said, whatever host's clock made the id
    site_id: Mapped[UUID]
    month: Mapped[str]
    department: Mapped[FieldDepartment]
    item: Mapped[Item]
    step: Mapped[LineStep]
    figure: Mapped[int | None]
    note: Mapped[str]
    by: Mapped[UUID]
    by_department: Mapped[str]
    at: Mapped[datetime]


MONTH_END = Deadline("month_statistics", Month.closes_at, Month.asked_at.is_not(None))
