"""The table of damage done on visits [R63]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base
from shared.messages import FieldDepartment


class Damage(Base):
    """Something of an owner's was damaged on a visit, as dispatch says [R63]: what a loss may cite [R74]."""

    __tablename__ = "damages"
    __table_args__ = (Index("ix_damages_site_id", "site_id", "damage_id"),)

    damage_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    round: Mapped[int]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    description: Mapped[str]
    estimate_fen: Mapped[int | None]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]
