"""The tables of the ledger, and the deadline by which its head is told elsewhere [house rule 11]."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.finance.models.base import Base
from services.finance.rules.ledger import Account, JournalKind
from shared.ids import new_id
from shared.tasks import Deadline


class Journal(Base):
    """One entry of the ledger, of a business day: append-only, and closed by a trigger when it is committed.

    Closing, the database sees that its two or more lines sum to zero; a closed journal gets no further line. Then it
    waits to be sealed (`UnsealedJournal`), or is sealed at once when it takes from an account.
    """

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


class Balance(Base):
    """What an account that cannot go below nothing holds (fen, on its normal side): cash, the reserve fund, payroll.

    It counts the journals that are sealed. A journal that takes from such an account seals all that wait, and itself,
    while it commits, so that none is overdrawn; one that only adds, like a receipt, waits for nobody.

    `holder_id` is the person, or the site itself where the account is not kept by person.
    """

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint("balance_fen >= 0", name="not_overdrawn"),
        {"comment": "written by triggers"},
    )

    account: Mapped[Account] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_id: Mapped[UUID] = mapped_column(primary_key=True)
    balance_fen: Mapped[int]


class UnsealedJournal(Base):
    """A journal that was closed and has no place in the chain yet: to be sealed at once, that is within seconds.

    Taking it out of here seals it: triggers append it to the chain and move the balances. There is no other way to
    take one out, and triggers alone put one in. `closed_at` is the database's own time, not that of a simulation.
    """

    __tablename__ = "unsealed_journals"
    __table_args__ = (Index("ix_unsealed_journals_open", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    journal_id: Mapped[UUID] = mapped_column(ForeignKey("journals.id"), primary_key=True)
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


LEDGER_SEAL = Deadline("ledger_seal", UnsealedJournal.due_at, UnsealedJournal.due_at.is_(None))


class ChainLink(Base):
    """A journal's place in the chain of all journals: its hash covers the journal and the hash before it.

    So whoever changes, removes or slips in a journal below the database's rules has to write every later hash anew,
    and the heads that hr was told contradict him.
    """

    __tablename__ = "ledger_chain"
    __table_args__ = ({"comment": "written by triggers"},)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    journal_id: Mapped[UUID] = mapped_column(ForeignKey("journals.id"), unique=True)
    hash: Mapped[str]


class LedgerAnchor(Base):
    """The head of the chain is to be told to hr by `due_at`: an hour after the first journal since then."""

    __tablename__ = "ledger_anchors"
    __table_args__ = (Index("ix_ledger_anchors_open", "due_at", postgresql_where=text("told_at IS NULL")),)

    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    told_at: Mapped[datetime | None]


LEDGER_ANCHOR = Deadline("ledger_anchor", LedgerAnchor.due_at, LedgerAnchor.told_at.is_not(None))
