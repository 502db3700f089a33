"""The table of deposits of till cash at the bank [R87]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.finance.models.base import Base
from shared.ids import new_id


class Deposit(Base):
    """Cash of a site's till that finance took to the bank 存款; `reference` is the bank's slip; append-only."""

    __tablename__ = "deposits"
    __table_args__ = (
        UniqueConstraint("site_id", "reference"),
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_deposits_site_id", "site_id", "id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    amount_fen: Mapped[int]
    reference: Mapped[str]
    deposited_by: Mapped[UUID]
    deposited_at: Mapped[datetime]
