"""The tables of a site's changes, holidays and leaders in charge [R77, R92]."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base
from shared.ids import new_id


class SiteChange(Base):
    """What was changed of a site, by whom, when and why: field -> [before, after]."""

    __tablename__ = "site_changes"
    __table_args__ = (UniqueConstraint("site_id", "version"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    version: Mapped[int]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]
    reason: Mapped[str]


class SiteHoliday(Base):
    """A public holiday 法定节假日 of a site."""

    __tablename__ = "site_holidays"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]


class SiteLeader(Base):
    """The leader in charge 分管领导 of a department at a site, since when and until when [R77, R92]."""

    __tablename__ = "site_leaders"
    __table_args__ = (
        Index("uq_site_leaders_now", "site_id", "department", unique=True, postgresql_where=text("until IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[str]
    leader_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    named_by: Mapped[UUID]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
