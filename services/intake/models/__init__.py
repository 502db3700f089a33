"""The desk's tables, one file for each subject; importing any of them knows them all."""

from services.intake.models.answer import Answer
from services.intake.models.base import (
    Alert,
    ApiToken,
    AuditEntry,
    Base,
    EndedSession,
    IdempotencyKey,
    Inbox,
    IssuedPaper,
    OperatorAct,
    Outbox,
    PaperCount,
    Person,
    PolicyChange,
    PrivacyActDone,
    Site,
    TickRun,
    Unreadable,
    Worker,
)
from services.intake.models.cash_alert import CashAlert
from services.intake.models.consultation import REPLY, Consultation
from services.intake.models.notice import Decline, Notice, NoticeCopy, NoticeRevision, Reprint
from services.intake.models.owner import OwnerActDone
from services.intake.models.price import PriceItem
from services.intake.models.private_job import PrivateJobReport
from services.intake.models.refund import FeeRefund
from services.intake.models.request import CALLBACK, ERASE, WARN, CallbackAttempt, Request
from services.intake.models.revisit import REVISIT, Revisit, RevisitAttempt
from services.intake.models.statistics import MONTH_END, LineEntry, Month, MonthFigure, MonthSignature
from services.intake.models.visit import Damage, Visit

__all__ = [
    "CALLBACK",
    "ERASE",
    "MONTH_END",
    "REPLY",
    "REVISIT",
    "WARN",
    "Alert",
    "Answer",
    "ApiToken",
    "AuditEntry",
    "Base",
    "CallbackAttempt",
    "CashAlert",
    "Consultation",
    "Damage",
    "Decline",
    "EndedSession",
    "FeeRefund",
    "IdempotencyKey",
    "Inbox",
    "IssuedPaper",
    "LineEntry",
    "Month",
    "MonthFigure",
    "MonthSignature",
    "Notice",
    "NoticeCopy",
    "NoticeRevision",
    "OperatorAct",
    "Outbox",
    "OwnerActDone",
    "PaperCount",
    "Person",
    "PolicyChange",
    "PriceItem",
    "PrivacyActDone",
    "PrivateJobReport",
    "Reprint",
    "Request",
    "Revisit",
    "RevisitAttempt",
    "Site",
    "TickRun",
    "Unreadable",
    "Visit",
    "Worker",
]
