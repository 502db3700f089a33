"""The table of answers to common questions [R22]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from shared.ids import new_id


class Answer(Base):
    """An answer the desk gives to a question asked often 常见问题; without a site it is the company's [R22]."""

    __tablename__ = "answers"
    __table_args__ = (
        Index(
            "ix_answers_question",
            "site_id",
            "question",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_answers_site_id", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    trade: Mapped[str | None]
    question: Mapped[str]
    answer: Mapped[str]
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[UUID | None]
