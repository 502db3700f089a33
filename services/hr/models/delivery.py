"""The tables of payouts as the company's HR system gets them [R92]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.hr.models.base import Base, Site


class Delivery(Base):
    """A payout as the company's HR system gets it 投递: numbered without gaps, its JSON kept as it is sent [R92]."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_site_id", "site_id", "sequence"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(ForeignKey("payouts.settlement_id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    line_count: Mapped[int]
    net_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    body: Mapped[str]
    made_at: Mapped[datetime]

    acknowledgement: Mapped["DeliveryAcknowledgement | None"] = relationship(lazy="raise")
    site: Mapped[Site] = relationship(lazy="raise")


class DeliveryAcknowledgement(Base):
    """The HR system has taken a delivery, under a reference of its own."""

    __tablename__ = "delivery_acknowledgements"
    __table_args__ = ({"comment": "append-only"},)

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    acknowledged_by: Mapped[UUID]
    acknowledged_at: Mapped[datetime]
    reference: Mapped[str | None]
