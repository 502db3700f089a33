"""The tables of charges [R26, D15]."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.models.receipt import Receipt
from services.finance.rules.charge import ChargeState
from shared.messages import FieldDepartment


class Charge(Base):
    """Finance's copy of a service notice [R26]: what the owner owes, and whether it was collected."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint("fee_fen > 0", name="fee"),
        Index("ix_charges_site_id", "site_id", "request_id"),
        Index("ix_charges_state", "state", "request_id"),
        Index("ix_charges_to_receive", "site_id", postgresql_where=text("received_at IS NULL")),
    )

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_number: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    state: Mapped[ChargeState]
    fee_fen: Mapped[int]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    price_version: Mapped[int]
    revision: Mapped[int] = mapped_column(server_default=text("0"))
    issued_at: Mapped[datetime]
    received_by: Mapped[UUID | None]
    received_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]

    workers: Mapped[list["ChargeWorker"]] = relationship(lazy="raise", order_by="ChargeWorker.person_id")
    receipt: Mapped["Receipt | None"] = relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin="and_(Receipt.request_id == Charge.request_id, Receipt.state != 'voided')",
    )


class ChargeWorker(Base):
    """Who did the job and his weight in the workers' share [D15]."""

    __tablename__ = "charge_workers"
    __table_args__ = (CheckConstraint("weight > 0", name="weight"),)

    request_id: Mapped[UUID] = mapped_column(ForeignKey("charges.request_id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    weight: Mapped[int]
