"""The tables of settlements, what they leave for the next month, and the deadline of the month [R89-R94]."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    literal,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.settlement import SettlementState
from shared.ids import new_id
from shared.messages import Guard
from shared.tasks import Deadline


class Settlement(Base):
    """A site's month 结算 and its totals (fen), from closing to HR's receipt [R89-R92, D18]."""

    __tablename__ = "settlements"
    __table_args__ = (
        UniqueConstraint("site_id", "month"),
        CheckConstraint("received_fen = company_fen + workers_fen + reserve_fen", name="split"),
        CheckConstraint(
            "net_fen = workers_fen - brought_fen + share_carried_fen + rewards_fen - fines_from_bonus_fen", name="net"
        ),
        CheckConstraint(
            "desk_agreed_by <> finance_agreed_by"
            " AND approved_by <> drafted_by AND approved_by <> desk_agreed_by AND approved_by <> finance_agreed_by",
            name="four_eyes",
        ),
        Index("ix_settlements_close", "closes_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    state: Mapped[SettlementState]
    closes_at: Mapped[datetime]
    statistics_agreed_at: Mapped[datetime | None]
    desk_agreed_by: Mapped[UUID | None]
    desk_agreed_at: Mapped[datetime | None]
    finance_agreed_by: Mapped[UUID | None]
    finance_agreed_at: Mapped[datetime | None]
    drafted_by: Mapped[UUID | None]
    drafted_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    hr_received_at: Mapped[datetime | None]

    received_fen: Mapped[int] = mapped_column(server_default=text("0"))
    company_fen: Mapped[int] = mapped_column(server_default=text("0"))
    workers_fen: Mapped[int] = mapped_column(server_default=text("0"))
    reserve_fen: Mapped[int] = mapped_column(server_default=text("0"))
    rewards_fen: Mapped[int] = mapped_column(server_default=text("0"))
    fines_from_bonus_fen: Mapped[int] = mapped_column(server_default=text("0"))
    from_wage_fen: Mapped[int] = mapped_column(server_default=text("0"))
    carried_fen: Mapped[int] = mapped_column(server_default=text("0"))
    brought_fen: Mapped[int] = mapped_column(server_default=text("0"))
    share_carried_fen: Mapped[int] = mapped_column(server_default=text("0"))
    net_fen: Mapped[int] = mapped_column(server_default=text("0"))

    lines: Mapped[list["SettlementLine"]] = relationship(lazy="raise", order_by="SettlementLine.person_id")


class SettlementLine(Base):
    """What one person gets for the month, why, and whether he has it [R91-R94].

    `share_fen` is what his jobs of the month earned, less what refunds took of an earlier share (`brought_fen`), and
    never so little that he would owe: the rest (`share_carried_fen`) waits for the next month [D16]. `carried_fen`
    is what the guard leaves of his fines for it [D22].
    """

    __tablename__ = "settlement_lines"
    __table_args__ = (
        CheckConstraint(
            "reward_fen >= 0 AND from_bonus_fen >= 0 AND from_wage_fen >= 0 AND carried_fen >= 0"
            " AND brought_fen >= 0 AND share_carried_fen >= 0 AND net_fen >= 0",
            name="not_negative",
        ),
        CheckConstraint("fine_fen = from_bonus_fen + from_wage_fen + carried_fen", name="fine"),
        CheckConstraint("net_fen = share_fen + reward_fen - from_bonus_fen", name="net"),
        CheckConstraint("from_bonus_fen = least(fine_fen, share_fen + reward_fen)", name="bonus_first"),
        CheckConstraint("share_carried_fen = 0 OR share_fen + reward_fen = 0", name="share_carried"),
        CheckConstraint("carried_fen = 0 OR guard IN ('capped', 'wage_unknown')", name="capped"),
        CheckConstraint("(paid_at IS NULL) = (payment_reference IS NULL)", name="paid"),
    )

    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlements.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    share_fen: Mapped[int]
    reward_fen: Mapped[int]
    fine_fen: Mapped[int]
    from_bonus_fen: Mapped[int]
    from_wage_fen: Mapped[int]
    carried_fen: Mapped[int] = mapped_column(server_default=text("0"))
    guard: Mapped[Guard] = mapped_column(Text, server_default=text("''"))
    brought_fen: Mapped[int] = mapped_column(server_default=text("0"))
    share_carried_fen: Mapped[int] = mapped_column(server_default=text("0"))
    net_fen: Mapped[int]
    case_numbers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    paid_at: Mapped[datetime | None]
    payment_reference: Mapped[str | None]

    failures: Mapped[list["PayoutFailure"]] = relationship(lazy="raise", order_by="PayoutFailure.attempt")


class Carryover(Base):
    """What an approved month leaves for the next one of its site, taken over by the settlement `settlement_id`.

    Fines the guard stopped [D22], or what refunds took beyond a person's share [D16].
    """

    __tablename__ = "carryovers"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("kind IN ('fine', 'share')", name="kind"),
        Index("ix_carryovers_open", "site_id", "month", postgresql_where=text("settlement_id IS NULL")),
        Index("ix_carryovers_settlement_id", "settlement_id"),
    )

    from_settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlements.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[str]
    amount_fen: Mapped[int]
    case_numbers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlements.id"))


class PayoutFailure(Base):
    """HR could not pay a person: the attempt, its cause and the reason, as hr says [R92]."""

    __tablename__ = "payout_failures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["settlement_id", "person_id"], ["settlement_lines.settlement_id", "settlement_lines.person_id"]
        ),
        UniqueConstraint("settlement_id", "person_id", "attempt"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    settlement_id: Mapped[UUID]
    person_id: Mapped[UUID]
    attempt: Mapped[int]
    cause: Mapped[str]
    reason: Mapped[str]
    failed_at: Mapped[datetime]


# written out in the SQL, not sent beside it, so that every plan may use the index `ix_settlements_close`
_OPEN = literal(SettlementState.OPEN, Settlement.state.type, literal_execute=True)


MONTH_CLOSE = Deadline("month_close", Settlement.closes_at, Settlement.state != _OPEN)
