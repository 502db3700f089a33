"""The tables of the daily check, and its two deadlines [R36, R85, D6]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.receipt import CarriedOutcome
from shared.ids import new_id
from shared.tasks import Deadline


class SiteDay(Base):
    """A site's business day: checked at closing time, chased the next morning [R36, R85, D6].

    It is closed once every receipt that was out at closing time is accounted for [R35].
    """

    __tablename__ = "site_days"
    __table_args__ = (
        Index("ix_site_days_check", "closes_at", postgresql_where=text("checked_at IS NULL")),
        Index("ix_site_days_chase", "chase_at", postgresql_where=text("chased_at IS NULL")),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    closes_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    chase_at: Mapped[datetime]
    chased_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    held_fen: Mapped[int] = mapped_column(server_default=text("0"))

    findings: Mapped[list["CashFinding"]] = relationship(lazy="raise", order_by="CashFinding.holder_id")
    carried: Mapped[list["CarriedFinding"]] = relationship(lazy="raise", order_by="CarriedFinding.id")


class CashFinding(Base):
    """Cash that somebody still held when a day was checked [D6]."""

    __tablename__ = "cash_findings"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "day"], ["site_days.site_id", "site_days.day"]),
        CheckConstraint("amount_fen > 0 AND receipts > 0", name="something"),
    )

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    holder_id: Mapped[UUID] = mapped_column(primary_key=True)
    amount_fen: Mapped[int]
    receipts: Mapped[int]


class CarriedFinding(Base):
    """A receipt that was out with a worker when a day was checked, until it is accounted for [R35, D6]."""

    __tablename__ = "carried_findings"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "day"], ["site_days.site_id", "site_days.day"]),
        UniqueConstraint("site_id", "day", "receipt_id"),
        CheckConstraint("num_nulls(outcome, settled_by, settled_at) IN (0, 3)", name="settled"),
        CheckConstraint("outcome <> 'explained' OR reason IS NOT NULL", name="explained"),
        Index("ix_carried_findings_open", "receipt_id", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID]
    day: Mapped[date]
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"))
    number: Mapped[str]
    carried_by: Mapped[UUID]
    outcome: Mapped[CarriedOutcome | None]
    reason: Mapped[str | None]
    settled_by: Mapped[UUID | None]
    settled_at: Mapped[datetime | None]


DAILY_CHECK = Deadline("daily_cash_check", SiteDay.closes_at, SiteDay.checked_at.is_not(None))
CASH_CHASE = Deadline("cash_chase", SiteDay.chase_at, SiteDay.chased_at.is_not(None))
