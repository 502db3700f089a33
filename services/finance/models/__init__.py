"""Finance's tables, one file for each subject; importing any of them knows them all."""

from services.finance.models.base import (
    Alert,
    AuditEntry,
    Base,
    IdempotencyKey,
    Inbox,
    OperatorAct,
    Outbox,
    Person,
    PolicyChange,
    PrivacyActDone,
    Site,
    TickRun,
    Unreadable,
    Worker,
)
from services.finance.models.cash_difference import CashDifference
from services.finance.models.charge import Charge, ChargeWorker
from services.finance.models.daily_check import CASH_CHASE, DAILY_CHECK, CarriedFinding, CashFinding, SiteDay
from services.finance.models.damage import Damage
from services.finance.models.deposit import Deposit
from services.finance.models.fine import Fine
from services.finance.models.hand_over import HandOver, HandOverReceipt
from services.finance.models.ledger import (
    LEDGER_ANCHOR,
    LEDGER_SEAL,
    Balance,
    ChainLink,
    Journal,
    JournalLine,
    LedgerAnchor,
    UnsealedJournal,
)
from services.finance.models.missing_cash import MissingCash, MissingCashReceipt
from services.finance.models.price import PriceItem, PriceVersion
from services.finance.models.receipt import Invoice, Receipt, ReceiptShare
from services.finance.models.receipt_book import ReceiptBook
from services.finance.models.refund import Refund, RefundShare
from services.finance.models.reopening import Reopening
from services.finance.models.reserve import Proposal
from services.finance.models.settlement import MONTH_CLOSE, Carryover, PayoutFailure, Settlement, SettlementLine
from services.finance.models.wage import Wage

__all__ = [
    "CASH_CHASE",
    "DAILY_CHECK",
    "LEDGER_ANCHOR",
    "LEDGER_SEAL",
    "MONTH_CLOSE",
    "Alert",
    "AuditEntry",
    "Balance",
    "Base",
    "CarriedFinding",
    "Carryover",
    "CashDifference",
    "CashFinding",
    "ChainLink",
    "Charge",
    "ChargeWorker",
    "Damage",
    "Deposit",
    "Fine",
    "HandOver",
    "HandOverReceipt",
    "IdempotencyKey",
    "Inbox",
    "Invoice",
    "Journal",
    "JournalLine",
    "LedgerAnchor",
    "MissingCash",
    "MissingCashReceipt",
    "OperatorAct",
    "Outbox",
    "PayoutFailure",
    "Person",
    "PolicyChange",
    "PriceItem",
    "PriceVersion",
    "PrivacyActDone",
    "Proposal",
    "Receipt",
    "ReceiptBook",
    "ReceiptShare",
    "Refund",
    "RefundShare",
    "Reopening",
    "Settlement",
    "SettlementLine",
    "Site",
    "SiteDay",
    "TickRun",
    "Unreadable",
    "UnsealedJournal",
    "Wage",
    "Worker",
]
