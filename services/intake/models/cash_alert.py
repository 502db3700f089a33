"""The table of cash that is not handed over, as finance says [D6]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base


class CashAlert(Base):
    """Cash that finance says is not handed over, for the desk head to chase [D6]."""

    __tablename__ = "cash_alerts"
    __table_args__ = (Index("ix_cash_alerts_site_id", "site_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    day: Mapped[date]
    holder_id: Mapped[UUID]
    amount_fen: Mapped[int]
    found_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
