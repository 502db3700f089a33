"""The table of the posts people have and had."""

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from services.hr.models.base import Base
from shared.ids import new_id


class Post(Base):
    """A post 岗位 a person has or had: what he was at which sites, from when to when, given by whom and why."""

    __tablename__ = "posts"
    __table_args__ = (
        Index("uq_posts_now", "person_id", unique=True, postgresql_where=text("until IS NULL")),
        CheckConstraint("given_by <> person_id", name="four_eyes"),
        Index("ix_posts_person_id", "person_id", "since"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    department: Mapped[str]
    site_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    all_sites: Mapped[bool]
    shift_start: Mapped[time | None]
    shift_end: Mapped[time | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    given_by: Mapped[UUID | None]
    reason: Mapped[str]
