"""Dispatch's tables, one file for each subject; importing any of them knows them all."""

from services.dispatch.models.acceptance import OwnerLink, Signature
from services.dispatch.models.base import (
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
    Person,
    PolicyChange,
    PrivacyActDone,
    Site,
    TickRun,
    Unreadable,
    Worker,
)
from services.dispatch.models.certificate import CERTIFICATE, HeldCertificate
from services.dispatch.models.consultation import Consultation
from services.dispatch.models.damage import Damage
from services.dispatch.models.duty import DutyCheck, DutyDay, DutyOverride, DutyTick, PrescribedDuty
from services.dispatch.models.neglect import Neglect
from services.dispatch.models.photo import Photo, PhotoKind
from services.dispatch.models.team import Assignment
from services.dispatch.models.visit import Stop, Telling
from services.dispatch.models.work_order import ACKNOWLEDGE, ARRIVE, ASSIGN, OPEN, Decline, WorkOrder

__all__ = [
    "ACKNOWLEDGE",
    "ARRIVE",
    "ASSIGN",
    "CERTIFICATE",
    "OPEN",
    "Alert",
    "ApiToken",
    "Assignment",
    "AuditEntry",
    "Base",
    "Consultation",
    "Damage",
    "Decline",
    "DutyCheck",
    "DutyDay",
    "DutyOverride",
    "DutyTick",
    "EndedSession",
    "HeldCertificate",
    "IdempotencyKey",
    "Inbox",
    "IssuedPaper",
    "Neglect",
    "OperatorAct",
    "Outbox",
    "OwnerLink",
    "Person",
    "Photo",
    "PhotoKind",
    "PolicyChange",
    "PrescribedDuty",
    "PrivacyActDone",
    "Signature",
    "Site",
    "Stop",
    "Telling",
    "TickRun",
    "Unreadable",
    "WorkOrder",
    "Worker",
]
