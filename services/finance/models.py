"""Finance's tables."""

from datetime import date, datetime
from typing import Any
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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from services.finance.rules.charge import ChargeState
from services.finance.rules.custody import HandOverState
from services.finance.rules.deduction import Guard
from services.finance.rules.ledger import Account, JournalKind
from services.finance.rules.price import PriceState
from services.finance.rules.receipt import CarriedOutcome, InvoiceState, Method, ReceiptState
from services.finance.rules.refund import RefundMethod, RefundState
from services.finance.rules.reopening import ReopeningState
from services.finance.rules.reserve import ProposalState, Use
from services.finance.rules.settlement import SettlementState
from shared.alerts import AlertRow
from shared.bus.tables import InboxRow, OutboxRow
from shared.db import TYPES, service_metadata
from shared.idempotency import IdempotencyRow
from shared.ids import new_id
from shared.messages import FieldDepartment
from shared.people import PersonRow, SiteRow
from shared.policy_rows import PolicyRow
from shared.tasks import Deadline


class Base(DeclarativeBase):
    """The tables of finance."""

    metadata = service_metadata()
    type_annotation_map = TYPES


class Outbox(OutboxRow, Base):
    """Messages we send."""


class Inbox(InboxRow, Base):
    """Messages we received."""


class IdempotencyKey(IdempotencyRow, Base):
    """Answers given to keys."""


class PolicyChange(PolicyRow, Base):
    """Changes of our policies; append-only."""


class Alert(AlertRow, Base):
    """What we told people."""


class Site(SiteRow, Base):
    """Sites, as hr says."""


class Person(PersonRow, Base):
    """People, as hr says."""


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


class ReceiptBook(Base):
    """A book of receipts 票据簿 that finance issued to a site's desk: its numbers from `first` to `last` [R34, R35]."""

    __tablename__ = "receipt_books"
    __table_args__ = (
        UniqueConstraint("site_id", "first"),
        CheckConstraint("0 < first AND first <= last", name="numbers"),
        CheckConstraint("(returned_at IS NULL) = (returned_by IS NULL)", name="returned"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    first: Mapped[int]
    last: Mapped[int]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    returned_by: Mapped[UUID | None]
    returned_at: Mapped[datetime | None]


class Receipt(Base):
    """A numbered receipt 票据 [R34, R35] and, once used, how its fee was divided [R70-R72] and who holds the cash.

    A number on hand is blank: it names no job. A charge has at most one receipt that is not void. Money is with
    finance from `received_at` on: at once when it is not cash; until then cash is in the hands of `holder_id`
    [R86], less `short_fen`, which a holder before him owes as a cash difference (negative: more was found).
    """

    __tablename__ = "receipts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint(
            "num_nulls(request_id, department, amount_fen, issued_by, issued_at)"
            " = CASE WHEN state IN ('on_hand', 'returned') THEN 5"
            " WHEN state = 'voided' AND request_id IS NULL THEN 5 ELSE 0 END",
            name="written",
        ),
        CheckConstraint("refunded_fen BETWEEN 0 AND coalesce(amount_fen, 0)", name="refunded"),
        CheckConstraint(
            "(state = 'used') = (method IS NOT NULL AND collected_by IS NOT NULL AND collected_at IS NOT NULL"
            " AND day IS NOT NULL AND month IS NOT NULL)",
            name="used",
        ),
        CheckConstraint(
            "CASE WHEN state = 'used' THEN coalesce(company_fen + workers_fen + reserve_fen = amount_fen, false)"
            " ELSE coalesce(company_fen, workers_fen, reserve_fen) IS NULL END",
            name="split",
        ),
        CheckConstraint(
            "CASE WHEN state = 'used' THEN (holder_id IS NULL) = (received_at IS NOT NULL)"
            " ELSE coalesce(holder_id::text, received_at::text) IS NULL END",
            name="one_holder",
        ),
        CheckConstraint("method = 'cash' OR reference IS NOT NULL AND holder_id IS NULL", name="cash_is_held"),
        Index("uq_receipts_request_id", "request_id", unique=True, postgresql_where=text("state <> 'voided'")),
        Index("ix_receipts_held", "site_id", "holder_id", postgresql_where=text("holder_id IS NOT NULL")),
        Index("ix_receipts_month", "site_id", "month"),
        Index("ix_receipts_on_hand", "site_id", "number", postgresql_where=text("state = 'on_hand'")),
        Index("ix_receipts_carried", "site_id", postgresql_where=text("state = 'carried'")),
        Index("ix_receipts_book_id", "book_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(unique=True)
    book_id: Mapped[UUID | None] = mapped_column(ForeignKey("receipt_books.id"))
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("charges.request_id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment | None]
    state: Mapped[ReceiptState]
    amount_fen: Mapped[int | None]
    issued_by: Mapped[UUID | None]
    issued_at: Mapped[datetime | None]
    carried_by: Mapped[UUID | None]
    voided_by: Mapped[UUID | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]

    method: Mapped[Method | None]
    reference: Mapped[str | None]
    collected_by: Mapped[UUID | None]
    collected_at: Mapped[datetime | None]
    day: Mapped[date | None]
    month: Mapped[str | None]
    holder_id: Mapped[UUID | None]
    received_at: Mapped[datetime | None]
    company_fen: Mapped[int | None]
    workers_fen: Mapped[int | None]
    reserve_fen: Mapped[int | None]
    short_fen: Mapped[int] = mapped_column(server_default=text("0"))
    refunded_fen: Mapped[int] = mapped_column(server_default=text("0"))

    shares: Mapped[list["ReceiptShare"]] = relationship(lazy="raise", order_by="ReceiptShare.person_id")
    invoices: Mapped[list["Invoice"]] = relationship(lazy="raise", order_by="Invoice.id")


class ReceiptShare(Base):
    """One worker's share of one fee [R71, D15]."""

    __tablename__ = "receipt_shares"
    __table_args__ = (CheckConstraint("share_fen >= 0", name="share"),)

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    share_fen: Mapped[int]


class Invoice(Base):
    """An invoice 发票 written beside a receipt, or the red one that cancels it [R34]; append-only."""

    __tablename__ = "invoices"
    __table_args__ = (Index("ix_invoices_receipt_id", "receipt_id", "id"), {"comment": "append-only"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"))
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[InvoiceState]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class HandOver(Base):
    """Cash offered by one person to the next and counted by him [R36, R85, D5].

    With `on_behalf_reason` its giver could not offer it any more, and finance took it from him.
    """

    __tablename__ = "hand_overs"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("from_id <> to_id", name="two_people"),
        CheckConstraint("(counted_fen IS NULL) = (counted_at IS NULL)", name="count"),
        CheckConstraint("state NOT IN ('differs', 'stated', 'counted') OR counted_at IS NOT NULL", name="counted"),
        CheckConstraint("state <> 'stated' OR difference_reason IS NOT NULL", name="stated"),
        Index("ix_hand_overs_site_id", "site_id", "id"),
        Index("ix_hand_overs_open", "site_id", "id", postgresql_where=text("state = 'offered'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    from_id: Mapped[UUID]
    to_id: Mapped[UUID]
    state: Mapped[HandOverState]
    amount_fen: Mapped[int]
    offered_at: Mapped[datetime]
    on_behalf_reason: Mapped[str | None]
    counted_fen: Mapped[int | None]
    counted_notes: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    counted_at: Mapped[datetime | None]
    difference_reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]

    receipts: Mapped[list["HandOverReceipt"]] = relationship(lazy="raise", order_by="HandOverReceipt.receipt_id")


class HandOverReceipt(Base):
    """A receipt whose cash is in a hand-over; in one open hand-over at most."""

    __tablename__ = "hand_over_receipts"
    __table_args__ = (Index("uq_hand_over_receipts_open", "receipt_id", unique=True, postgresql_where=text("open")),)

    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_overs.id"), primary_key=True)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    open: Mapped[bool]


class CashDifference(Base):
    """What was missing (fen; negative: too much) when cash was counted, by the names of both [R85-R88, D5].

    A shortage is the giver's until he makes it good at finance.
    """

    __tablename__ = "cash_differences"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="something"),
        CheckConstraint("(made_good_at IS NULL) = (made_good_by IS NULL)", name="made_good"),
        CheckConstraint("made_good_at IS NULL OR amount_fen > 0", name="short"),
        Index("ix_cash_differences_site_id", "site_id", "id"),
        Index("ix_cash_differences_open", "site_id", postgresql_where=text("made_good_at IS NULL AND amount_fen > 0")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    hand_over_id: Mapped[UUID] = mapped_column(ForeignKey("hand_overs.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    giver_id: Mapped[UUID]
    receiver_id: Mapped[UUID]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    day: Mapped[date]
    recorded_at: Mapped[datetime]
    made_good_by: Mapped[UUID | None]
    made_good_at: Mapped[datetime | None]

    hand_over: Mapped["HandOver"] = relationship(lazy="raise")


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


class MissingCash(Base):
    """Cash still out the next morning, told to hr as a case [R86, D6, D7]; returned once finance has all of it.

    It is cash of receipts in his hands, or what he owes of one `difference_id`.
    """

    __tablename__ = "missing_cash"
    __table_args__ = (
        Index(
            "uq_missing_cash_site_id",
            "site_id",
            "day",
            "holder_id",
            "difference_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_missing_cash_sites", "site_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    day: Mapped[date]
    holder_id: Mapped[UUID]
    holder_name: Mapped[str]
    difference_id: Mapped[UUID | None] = mapped_column(ForeignKey("cash_differences.id"), unique=True)
    amount_fen: Mapped[int]
    receipt_numbers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    found_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]

    receipts: Mapped[list["MissingCashReceipt"]] = relationship(lazy="raise", order_by="MissingCashReceipt.receipt_id")


class MissingCashReceipt(Base):
    """A receipt named as missing; once, because cash that reached finance never leaves it again."""

    __tablename__ = "missing_cash_receipts"
    __table_args__ = (Index("ix_missing_cash_receipts_missing_id", "missing_id"),)

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    missing_id: Mapped[UUID] = mapped_column(ForeignKey("missing_cash.id"))


class Journal(Base):
    """One entry of the ledger: append-only, its lines summing to zero, both held by triggers."""

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


class Settlement(Base):
    """A site's month 结算 and its totals (fen), from closing to HR's receipt [R89-R92, D18]."""

    __tablename__ = "settlements"
    __table_args__ = (
        UniqueConstraint("site_id", "month"),
        CheckConstraint("received_fen = company_fen + workers_fen + reserve_fen", name="split"),
        CheckConstraint(
            "net_fen = workers_fen - brought_fen + share_carried_fen + rewards_fen - fines_from_bonus_fen", name="net"
        ),
        CheckConstraint("approved_by <> drafted_by", name="four_eyes"),
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


class Proposal(Base):
    """A use of the reserve fund 公积金 proposed by the desk [R73-R77, D17].

    `settlement_id` is the settlement that computed a reward; it is `settled_at` that one's approval.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(use = 'reward') = (person_id IS NOT NULL)", name="person"),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        CheckConstraint("(state = 'approved') = (month IS NOT NULL)", name="month"),
        CheckConstraint("damage_id IS NULL OR use = 'loss'", name="damage"),
        CheckConstraint("request_id IS NULL OR use = 'rework'", name="request"),
        Index("ix_proposals_site_id", "site_id", "id"),
        Index("ix_proposals_settlement_id", "settlement_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    use: Mapped[Use]
    person_id: Mapped[UUID | None]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    state: Mapped[ProposalState]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    month: Mapped[str | None]
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlements.id"))
    settled_at: Mapped[datetime | None]
    damage_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("charges.request_id"))


class Fine(Base):
    """A fine confirmed by the leader, as hr says; deducted once [R93, D21].

    `settlement_id` is the settlement that computed it; it is `settled_at` that one's approval.
    """

    __tablename__ = "fines"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_fines_open", "site_id", "month", postgresql_where=text("settlement_id IS NULL")),
        Index("ix_fines_settlement_id", "settlement_id"),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    offence: Mapped[str]
    month: Mapped[str]
    amount_fen: Mapped[int]
    confirmed_at: Mapped[datetime]
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlements.id"))
    settled_at: Mapped[datetime | None]


class Damage(Base):
    """Something of an owner's was damaged on a visit, as dispatch says [R63]: what a loss may cite [R74]."""

    __tablename__ = "damages"
    __table_args__ = (Index("ix_damages_site_id", "site_id", "damage_id"),)

    damage_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    round: Mapped[int]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    description: Mapped[str]
    estimate_fen: Mapped[int | None]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]


class Refund(Base):
    """A fee given back to its owner, all or part, out of finance's money [D13, D16].

    Once approved it lessens the income and the three shares of `month`, the one open then.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        CheckConstraint(
            "CASE WHEN state = 'approved'"
            " THEN month IS NOT NULL AND coalesce(company_fen + workers_fen + reserve_fen = amount_fen, false)"
            " ELSE coalesce(month, company_fen::text, workers_fen::text, reserve_fen::text) IS NULL END",
            name="split",
        ),
        Index("ix_refunds_site_id", "site_id", "id"),
        Index("ix_refunds_receipt_id", "receipt_id"),
        Index("ix_refunds_month", "site_id", "month"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"))
    request_id: Mapped[UUID]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    department: Mapped[FieldDepartment]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    method: Mapped[RefundMethod]
    state: Mapped[RefundState]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    month: Mapped[str | None]
    company_fen: Mapped[int | None]
    workers_fen: Mapped[int | None]
    reserve_fen: Mapped[int | None]

    receipt: Mapped["Receipt"] = relationship(lazy="raise")
    shares: Mapped[list["RefundShare"]] = relationship(lazy="raise", order_by="RefundShare.person_id")


class RefundShare(Base):
    """What one worker's share is lessened by, hence negative [D14, D16]; append-only."""

    __tablename__ = "refund_shares"
    __table_args__ = ({"comment": "append-only"},)

    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    share_fen: Mapped[int]


class Wage(Base):
    """A person's monthly wage, as hr says, for the guard on deductions [D22]."""

    __tablename__ = "wages"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    monthly_wage_fen: Mapped[int]


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


class Reopening(Base):
    """A proposal to reopen a month, and the leader's decision [D18]; one at a time."""

    __tablename__ = "reopenings"
    __table_args__ = (
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        Index("uq_reopenings_open", "settlement_id", unique=True, postgresql_where=text("state = 'proposed'")),
        Index("ix_reopenings_settlement_id", "settlement_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlements.id"))
    state: Mapped[ReopeningState]
    reason: Mapped[str]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]


DAILY_CHECK = Deadline("daily_cash_check", SiteDay.closes_at, SiteDay.checked_at.is_not(None))
CASH_CHASE = Deadline("cash_chase", SiteDay.chase_at, SiteDay.chased_at.is_not(None))
# written out in the SQL, not sent beside it, so that every plan may use the index `ix_settlements_close`
_OPEN = literal(SettlementState.OPEN, Settlement.state.type, literal_execute=True)
MONTH_CLOSE = Deadline("month_close", Settlement.closes_at, Settlement.state != _OPEN)
