"""The tables of the price book [R55-R57]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.price import PriceState
from shared.ids import new_id


class PriceVersion(Base):
    """A version of the company's price book 收费标准 [R55, R56]."""

    __tablename__ = "price_versions"
    __table_args__ = (
        CheckConstraint("approved_by <> drafted_by", name="four_eyes"),
        CheckConstraint("(state = 'approved') = (approved_at IS NOT NULL)", name="approved"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[int] = mapped_column(unique=True)
    state: Mapped[PriceState]
    effective_from: Mapped[date]
    drafted_by: Mapped[UUID]
    drafted_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]

    items: Mapped[list["PriceItem"]] = relationship(lazy="raise", order_by="PriceItem.code")


class PriceItem(Base):
    """One line of a version: a fee must lie from `min_fen` to `max_fen` [R57]."""

    __tablename__ = "price_items"
    __table_args__ = (CheckConstraint("0 < min_fen AND min_fen <= max_fen", name="range"),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("price_versions.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    trade: Mapped[str]
    name: Mapped[str]
    unit: Mapped[str]
    min_fen: Mapped[int]
    max_fen: Mapped[int]
