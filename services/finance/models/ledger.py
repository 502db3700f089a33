"""The tables of the ledger."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.ledger import Account, JournalKind
from shared.ids import new_id


class Journal(Base):
    """One entry of the ledger, of a business day: append-only, its lines summing to zero, both held by triggers."""

    __tablename__ = "journals"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        Index("ix_journals_site_id", "site_id", "id"),
        {"comment": "append-only"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[JournalKind]
    at: Mapped[datetime]
    day: Mapped[date]
    reference: Mapped[str]

    lines: Mapped[list["JournalLine"]] = relationship(lazy="raise", order_by="JournalLine.line")


class JournalLine(Base):
    """One side of an entry: debit +, credit − (fen)."""

    __tablename__ = "journal_lines"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="something"),
        Index("ix_journal_lines_account", "account", "site_id", "person_id", postgresql_include=["amount_fen"]),
        {"comment": "append-only"},
    )

    journal_id: Mapped[UUID] = mapped_column(ForeignKey("journals.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[Account]
    site_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    amount_fen: Mapped[int]
