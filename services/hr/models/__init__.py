"""HR's tables, one file for each subject; importing any of them knows them all."""

from services.hr.models.base import (
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
from services.hr.models.case import CASE_APPEAL, Case, CaseEvidence
from services.hr.models.company import Company
from services.hr.models.delivery import Delivery, DeliveryAcknowledgement
from services.hr.models.heard import LedgerAnchor, MissedCallback, MonthReport, Override
from services.hr.models.login import FactorReset, Invitation, Login, RecoveryCode
from services.hr.models.payout import Payment, PaymentFailure, Payout, PayoutLine
from services.hr.models.post import Post
from services.hr.models.session import LoginSession
from services.hr.models.sign_on import SignOnLink, UsedSignOn
from services.hr.models.site import SiteChange, SiteHoliday, SiteLeader
from services.hr.models.task import HR_TASK, HrTask
from services.hr.models.wage import Wage
from services.hr.models.webhook import WEBHOOK_DELIVERY, WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "CASE_APPEAL",
    "HR_TASK",
    "WEBHOOK_DELIVERY",
    "Alert",
    "ApiToken",
    "AuditEntry",
    "Base",
    "Case",
    "CaseEvidence",
    "Company",
    "Delivery",
    "DeliveryAcknowledgement",
    "EndedSession",
    "FactorReset",
    "HrTask",
    "IdempotencyKey",
    "Inbox",
    "Invitation",
    "IssuedPaper",
    "LedgerAnchor",
    "Login",
    "LoginSession",
    "MissedCallback",
    "MonthReport",
    "OperatorAct",
    "Outbox",
    "Override",
    "PaperCount",
    "Payment",
    "PaymentFailure",
    "Payout",
    "PayoutLine",
    "Person",
    "PolicyChange",
    "Post",
    "PrivacyActDone",
    "RecoveryCode",
    "SignOnLink",
    "Site",
    "SiteChange",
    "SiteHoliday",
    "SiteLeader",
    "TickRun",
    "Unreadable",
    "UsedSignOn",
    "Wage",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Worker",
]
