"""The table of what owners did by their links."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base
from services.intake.rules.owner import OwnerAct


class OwnerActDone(Base):
    """What an owner did by his link: nobody of ours, so it names nobody; `round` is that of the last visit."""

    __tablename__ = "owner_acts"
    __table_args__ = (
        Index("ix_owner_acts_request_id", "request_id"),
        Index("uq_owner_acts_rated_once", "request_id", "round", unique=True, postgresql_where=text("act = 'rate'")),
        CheckConstraint("(act = 'rate') = (stars IS NOT NULL) AND stars BETWEEN 1 AND 5", name="one_to_five"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    act: Mapped[OwnerAct]
    round: Mapped[int]
    visit_from: Mapped[datetime | None]
    visit_to: Mapped[datetime | None]
    stars: Mapped[int | None]
    words: Mapped[str | None]
    done_at: Mapped[datetime]
