"""The tables of payouts and of what became of each line [R92]."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.hr.models.base import Base
from services.hr.rules.payout import PaymentState


class Payout(Base):
    """A site's approved settlement of a month, to be paid to the individual [R92]; kept as heard."""

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("site_id", "month"),
        Index("ix_payouts_site_id", "site_id", "settlement_id"),
        {"comment": "append-only"},
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    net_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    approved_by: Mapped[UUID]
    approved_at: Mapped[datetime]
    received_at: Mapped[datetime]

    lines: Mapped[list["PayoutLine"]] = relationship(lazy="raise", order_by="PayoutLine.person_id")


class PayoutLine(Base):
    """What one person is paid, and what his wage bears of his fines [R93, R94]; perhaps nobody we know."""

    __tablename__ = "payout_lines"
    __table_args__ = (
        CheckConstraint("net_fen = share_fen + reward_fen - from_bonus_fen", name="net"),
        CheckConstraint("fine_fen = from_bonus_fen + from_wage_fen + carried_fen", name="fine"),
        Index("ix_payout_lines_person_id", "person_id", "settlement_id"),
        {"comment": "append-only"},
    )

    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("payouts.settlement_id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    share_fen: Mapped[int]
    reward_fen: Mapped[int]
    fine_fen: Mapped[int]
    from_bonus_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    net_fen: Mapped[int]
    case_numbers: Mapped[list[str]] = mapped_column(ARRAY(String))
    carried_fen: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    guard: Mapped[str] = mapped_column(default="", server_default=text("''"))
    jobs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))

    payment: Mapped["Payment"] = relationship(lazy="raise")


class Payment(Base):
    """Whether a person was paid his line [R92]: each line has one from the moment the payout is received."""

    __tablename__ = "payments"
    __table_args__ = (
        ForeignKeyConstraint(["settlement_id", "person_id"], ["payout_lines.settlement_id", "payout_lines.person_id"]),
        CheckConstraint(
            "(state = 'paid') = (paid_at IS NOT NULL AND reference IS NOT NULL)", name="paid_has_reference"
        ),
        CheckConstraint("paid_by <> person_id", name="four_eyes"),
        CheckConstraint("state <> 'failed' OR attempts > 0", name="failed_was_tried"),
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[PaymentState]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    reference: Mapped[str | None]
    paid_by: Mapped[UUID | None]
    paid_at: Mapped[datetime | None]

    failures: Mapped[list["PaymentFailure"]] = relationship(lazy="raise", order_by="PaymentFailure.attempt")


class PaymentFailure(Base):
    """An attempt to pay a person that failed, and why; `told_by` None was found by us on receipt."""

    __tablename__ = "payment_failures"
    __table_args__ = (
        ForeignKeyConstraint(["settlement_id", "person_id"], ["payments.settlement_id", "payments.person_id"]),
        {"comment": "append-only"},
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str]
    reason: Mapped[str]
    told_by: Mapped[UUID | None]
    failed_at: Mapped[datetime]
