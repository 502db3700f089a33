"""The table of prices, as finance published them [R55]."""

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.base import Base


class PriceItem(Base):
    """An item of an approved version of the price book, as finance published it [R55]."""

    __tablename__ = "price_items"
    __table_args__ = (Index("ix_price_items_effective_from", "effective_from", "version"),)

    version: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[date]
    trade: Mapped[str]
    name: Mapped[str]
    unit: Mapped[str]
    min_fen: Mapped[int]
    max_fen: Mapped[int]
